//! Single records by the place where they stand.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use domain::record::Coordinates;
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    message::{BorrowedMessage, Headers},
    metadata::MetadataTopic,
};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::{Connection, ConnectionError, Logged};

/// Questions that wait at most.
const WAITING: usize = 64;
/// How long one record may take; a broker that answers needs milliseconds.
const LIMIT: Duration = Duration::from_secs(5);
/// How long one wait is; between two of them the thread looks whether it shall
/// end. A record or a question wakes it at once.
const LOOK_UP: Duration = Duration::from_millis(250);

/// Reads single records, one after the other. Its client remembers each topic
/// that it was asked for: callers choose from few.
///
/// Dropping it joins its thread, which takes up to half a second.
#[derive(Debug)]
pub struct Lookup {
    questions: Option<SyncSender<Question>>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

/// A record as it stands on its topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRecord {
    /// The key; empty where there is none.
    pub key: Vec<u8>,
    /// The value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    headers: Vec<(String, Vec<u8>)>,
}

/// Why there is no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// It stood before the first record that the topic still keeps.
    #[error("the topic does not keep the record any more")]
    Expired,
    /// No record stands there: no such topic or partition, an offset that was
    /// not written yet, or one that holds no record.
    #[error("no record stands there")]
    Absent,
    /// Too many questions wait: ask again later.
    #[error("too many records are being looked up")]
    Busy,
    /// The broker did not answer in time, or this is being stopped.
    #[error("the record cannot be read now: {0}")]
    Unavailable(String),
}

struct Question {
    place: Coordinates,
    reply: oneshot::Sender<Result<FoundRecord, LookupError>>,
}

impl FoundRecord {
    /// The value of the last header with this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        let mut all = self.headers.iter().rev();
        all.find_map(|(key, value)| (key == name).then_some(value.as_slice()))
    }
}

impl Lookup {
    /// Opens a reader; `name` (at most 15 bytes are seen) names its thread.
    ///
    /// # Errors
    /// When the connection's properties cannot be used. A broker that is not
    /// there is no error.
    pub fn open(connection: &Connection, name: &str) -> Result<Self, ConnectionError> {
        // Nothing joins or commits in this group; assigning by hand needs a name.
        let group = format!("{}.{name}", connection.client_id());
        let mut config = connection.consumer_config(
            &group,
            &[
                // After a record the client asks on, until it is told that nobody wants
                // more: whoever comes next waits for that.
                ("fetch.wait.max.ms", "5"),
                // One record is wanted: a broker sends one batch at least.
                ("fetch.message.max.bytes", "131072"),
                ("queued.max.messages.kbytes", "1024"),
            ],
        );
        config.set("enable.partition.eof", "true");
        config.set("auto.offset.reset", "error");
        let consumer = config.create_with_context(Logged::default())?;
        let (questions, asked) = sync_channel(WAITING);
        let stop = CancellationToken::new();
        let worker = Worker {
            consumer,
            asked,
            stop: stop.clone(),
        };
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || worker.run())
            .map_err(|error| ConnectionError::Client(format!("no thread to read with: {error}")))?;
        Ok(Self {
            questions: Some(questions),
            stop,
            thread: Some(thread),
        })
    }

    /// The record that stands at `place`. Only records of finished
    /// transactions are found.
    ///
    /// # Errors
    /// See [`LookupError`].
    pub async fn at(&self, place: Coordinates) -> Result<FoundRecord, LookupError> {
        let stopped = || LookupError::Unavailable("this is being stopped".to_owned());
        let (reply, found) = oneshot::channel();
        let questions = self.questions.as_ref().ok_or_else(stopped)?;
        questions
            .try_send(Question { place, reply })
            .map_err(|error| match error {
                TrySendError::Full(_) => LookupError::Busy,
                TrySendError::Disconnected(_) => stopped(),
            })?;
        found.await.unwrap_or_else(|_| Err(stopped()))
    }
}

impl Drop for Lookup {
    fn drop(&mut self) {
        self.stop.cancel();
        self.questions = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that looks records up has panicked");
        }
    }
}

struct Worker {
    consumer: BaseConsumer<Logged>,
    asked: Receiver<Question>,
    stop: CancellationToken,
}

impl Worker {
    fn run(self) {
        while !self.stop.is_cancelled() {
            match self.asked.recv_timeout(LOOK_UP) {
                // Whoever asked may have stopped waiting.
                Ok(Question { reply, .. }) if reply.is_closed() => {}
                Ok(Question { place, reply }) => {
                    reply.send(self.answer(&place)).ok();
                }
                // Lets the client write its log.
                Err(RecvTimeoutError::Timeout) => drop(self.consumer.poll(Duration::ZERO)),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn answer(&self, place: &Coordinates) -> Result<FoundRecord, LookupError> {
        if place.partition < 0 || place.offset < 0 {
            return Err(LookupError::Absent);
        }
        let unavailable = |error: KafkaError| LookupError::Unavailable(error.to_string());
        // A partition that is not there is waited for, not told.
        let known = self.consumer.fetch_metadata(Some(&place.topic), LIMIT);
        let known = known.map_err(unavailable)?;
        let hidden = RDKafkaErrorCode::TopicAuthorizationFailed;
        let mut errors = known.topics().iter().filter_map(MetadataTopic::error);
        if errors.any(|error| RDKafkaErrorCode::from(error) == hidden) {
            let error = KafkaError::MetadataFetch(hidden);
            return Err(LookupError::Unavailable(format!(
                "topic {}: {error}",
                place.topic
            )));
        }
        let mut partitions = known.topics().iter().flat_map(MetadataTopic::partitions);
        if !partitions.any(|partition| partition.id() == place.partition) {
            return Err(LookupError::Absent);
        }
        let mut wanted = TopicPartitionList::new();
        let offset = Offset::Offset(place.offset);
        wanted
            .add_partition_offset(&place.topic, place.partition, offset)
            .and_then(|()| self.consumer.assign(&wanted))
            .map_err(unavailable)?;
        let found = self.wait_for(place);
        // Else the client would go on to read the whole topic.
        self.consumer.unassign().map_err(unavailable)?;
        found
    }

    fn wait_for(&self, place: &Coordinates) -> Result<FoundRecord, LookupError> {
        let end = Instant::now() + LIMIT;
        let mut trouble = "no answer in time".to_owned();
        while Instant::now() < end && !self.stop.is_cancelled() {
            match self.consumer.poll(LOOK_UP) {
                None => {}
                Some(Ok(message)) if message.offset() == place.offset => {
                    return Ok(taken(&message));
                }
                // The offset is a gap, as transactions and compaction leave them.
                Some(Ok(_)) => return Err(LookupError::Absent),
                Some(Err(KafkaError::PartitionEOF(_))) => return Err(LookupError::Absent),
                Some(Err(error)) if is_out_of_range(&error) => {
                    return Err(self.out_of_range(place));
                }
                Some(Err(error)) => trouble = error.to_string(),
            }
        }
        Err(LookupError::Unavailable(trouble))
    }

    fn out_of_range(&self, place: &Coordinates) -> LookupError {
        match self
            .consumer
            .fetch_watermarks(&place.topic, place.partition, LIMIT)
        {
            Ok((first, _)) if place.offset < first => LookupError::Expired,
            Ok(_) => LookupError::Absent,
            Err(error) => LookupError::Unavailable(error.to_string()),
        }
    }
}

fn is_out_of_range(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    let code = error.rdkafka_error_code();
    code.is_some_and(|code| matches!(code, Code::AutoOffsetReset | Code::OffsetOutOfRange))
}

fn taken(message: &BorrowedMessage<'_>) -> FoundRecord {
    let headers = message.headers().into_iter().flat_map(Headers::iter);
    FoundRecord {
        key: message.key().unwrap_or_default().to_vec(),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers
            .filter_map(|header| Some((header.key.to_owned(), header.value?.to_vec())))
            .collect(),
    }
}
