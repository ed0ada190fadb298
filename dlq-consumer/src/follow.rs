//! From the topic into the index.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use kafka::{Connection, ConnectionError, Start, Table, TableEvent, TableRecord};
use service::health::Condition;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::index::{Change, Index, IndexError, Writer};
use crate::letter::Letter;
use crate::list::{End, Trouble};
use crate::metrics::Metrics;

/// How often the end of the topic is read to, so that the index knows up to
/// when it is current.
const LOOK: Duration = Duration::from_secs(30);
/// Reading to the end takes milliseconds where the broker answers.
const LOOK_LIMIT: Duration = Duration::from_secs(20);

/// Reads the topic into the index from where the index ends.
pub(crate) fn topic(
    connection: &Connection,
    topic: &str,
    index: &Index,
    end: End,
    metrics: Metrics,
    trouble: Trouble,
    stop: &CancellationToken,
) -> Result<Table, ConnectionError> {
    let start = match index.next_offset {
        0 => Start::Beginning,
        next => Start::At(next),
    };
    let writer = Arc::clone(&index.writer);
    let on_event = move |event: TableEvent<'_>| {
        let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
        match take(&mut writer, &end, &event) {
            Ok(()) => {
                metrics.show(writer.summary());
                ControlFlow::Continue(())
            }
            Err(error) => {
                trouble.report(error);
                ControlFlow::Break(())
            }
        }
    };
    Table::follow(connection, "failed-list", topic, start, on_event, stop)
}

fn take(writer: &mut Writer, end: &End, event: &TableEvent<'_>) -> Result<(), IndexError> {
    match event {
        TableEvent::Records(records) => match records.last() {
            Some(last) => {
                let next = last.offset() + 1;
                end.read_to(next);
                writer.apply(records.iter().filter_map(change), next)
            }
            None => Ok(()),
        },
        TableEvent::Reset => {
            end.read_to(0);
            writer.clear()
        }
    }
}

fn change(record: &TableRecord<'_>) -> Option<Change> {
    let Ok(id) = std::str::from_utf8(record.key()) else {
        // Only dispatchers write here, and their keys are ids.
        tracing::warn!(
            offset = record.offset(),
            "a dead letter is passed over: its key is not text"
        );
        return None;
    };
    Some(match record.value() {
        None => Change::Remove(id.to_owned()),
        Some(value) => Change::Put(Letter::read(
            record.offset(),
            id,
            Timestamp::from_millis(record.timestamp_ms().unwrap_or(0)),
            value,
            |name| record.header(name),
        )),
    })
}

/// Notes again and again that the index is current, which only the broker can
/// say: a process cut off for days must not go on as if nothing had happened.
/// Returns when the topic is not read any more.
pub(crate) async fn note_current(
    table: &Table,
    writer: &Arc<Mutex<Writer>>,
    metrics: &Metrics,
    trouble: &Trouble,
    caught_up: &Condition,
) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while table.caught_up().await.is_ok() {
        caught_up.set(true);
        looks.tick().await;
        let before = Timestamp::now();
        match timeout(LOOK_LIMIT, table.read_to_end()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                tracing::warn!(
                    limit_s = LOOK_LIMIT.as_secs(),
                    "the end of the dead-letter topic could not be read to in time"
                );
                continue;
            }
        }
        let writer = Arc::clone(writer);
        let noted = spawn_blocking(move || {
            let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
            writer.note_current(before)
        });
        match noted.await {
            Ok(Ok(())) => metrics.current(before),
            Ok(Err(error)) => trouble.report(error),
            // The runtime is going down.
            Err(_) => return,
        }
    }
}
