//! The deliveries as server-sent events: those kept, then each that comes.

use std::{convert::Infallible, sync::Arc};

use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, stream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Receiver, received::Received};

/// A stream that ends at `stop`. Each event's id is `<run>-<number>`: a page
/// that connects again gets what is kept again, and knows what it has by this;
/// `run` tells the deliveries of this process from those of the one before.
pub(crate) fn feed(
    receiver: Arc<Receiver>,
    run: &str,
    stop: CancellationToken,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
    let reader = Reader {
        added: receiver.log.watch(),
        receiver,
        next: 0,
        stop,
    };
    let run = run.to_owned();
    let events = stream::unfold((reader, run), async |(mut reader, run)| {
        let (number, received) = reader.next().await?;
        let event = Event::default()
            .event("delivery")
            .id(format!("{run}-{number}"))
            .json_data(&*received)
            .expect("strings and numbers always serialise");
        Some((Ok(event), (reader, run)))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

struct Reader {
    receiver: Arc<Receiver>,
    added: watch::Receiver<u64>,
    next: u64,
    stop: CancellationToken,
}

impl Reader {
    async fn next(&mut self) -> Option<(u64, Arc<Received>)> {
        loop {
            if let Some((number, received)) = self.receiver.log.from(self.next) {
                self.next = number + 1;
                return Some((number, received));
            }
            tokio::select! {
                added = self.added.changed() => added.ok()?,
                () = self.stop.cancelled() => return None,
            }
        }
    }
}
