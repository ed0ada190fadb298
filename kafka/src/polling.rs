//! The thread that takes in what a producer's records came to.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use rdkafka::producer::{BaseProducer, Producer as _, ProducerContext};

use crate::ConnectionError;

/// How long the thread waits for something to do before it looks whether it
/// shall end. Acknowledgements wake it at once. (rdkafka spins through the last
/// millisecond of each wait, so a shorter one costs CPU time.)
const LOOK_FOR_STOP: Duration = Duration::from_millis(500);

/// Polls a producer until dropped, which takes up to [`LOOK_FOR_STOP`].
pub(crate) struct Polling {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Polling {
    /// `name` (at most 15 bytes are seen) is the thread's. `fatal` is told once
    /// why the producer cannot be used any more: its error callback gets what
    /// went wrong, not that it was the end.
    pub(crate) fn start<C: ProducerContext + 'static>(
        name: &str,
        producer: &Arc<BaseProducer<C>>,
        fatal: impl Fn(&C, String) + Send + 'static,
    ) -> Result<Self, ConnectionError> {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn({
                let producer = Arc::clone(producer);
                let stop = Arc::clone(&stop);
                move || {
                    let mut has_failed = false;
                    while !stop.load(Ordering::Relaxed) {
                        producer.poll(LOOK_FOR_STOP);
                        if !has_failed && let Some((_, why)) = producer.client().fatal_error() {
                            has_failed = true;
                            fatal(producer.context(), why);
                        }
                    }
                }
            })
            .map_err(|error| ConnectionError::Client(format!("no thread to poll with: {error}")))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that polls a producer has panicked");
        }
    }
}
