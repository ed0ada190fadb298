//! One Kafka transaction, from begin to commit or abort. Every call here blocks.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    time::{Duration, Instant},
};

use rdkafka::{
    ClientContext, Message,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext},
};
use tokio_util::sync::CancellationToken;

use super::{Move, MoveError};
use crate::{
    ClientLog, Connection, ConnectionError, Record, Stored, patience::Patience,
    publisher::is_refusal,
};

/// How long one call to the client may block; between two of them the thread
/// looks whether it shall end.
const CALL: Duration = Duration::from_secs(2);
/// How long one wait for acknowledgements is. The client's own wait would be
/// 100 ms even when the acknowledgement comes after 2.
const ACKNOWLEDGEMENT: Duration = Duration::from_millis(1);
/// A wait that is only there so that the next call does not follow at once.
const BREATH: Duration = Duration::from_millis(100);

type Outcome = (usize, Result<Stored, RDKafkaErrorCode>);

/// Hands each record's outcome, by its number in the transaction, to the thread.
struct Outcomes {
    outcomes: Sender<Outcome>,
    log: ClientLog,
}

impl ClientContext for Outcomes {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.log.line(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.log.error(&error, reason);
    }
}

impl ProducerContext for Outcomes {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        let outcome = match result {
            Ok(message) => Ok(Stored {
                partition: message.partition(),
                offset: message.offset(),
            }),
            Err((error, _)) => Err(code_of(error)),
        };
        // The receiver goes only together with the producer.
        self.outcomes.send((number, outcome)).ok();
    }
}

pub(super) struct Transactions {
    producer: BaseProducer<Outcomes>,
    outcomes: Receiver<Outcome>,
    stop: CancellationToken,
}

impl Transactions {
    pub(super) fn new(
        connection: &Connection,
        transactional_id: &str,
        stop: CancellationToken,
    ) -> Result<Self, ConnectionError> {
        let mut config = connection.producer_config(&[("linger.ms", "0")]);
        config.set("transactional.id", transactional_id);
        // Readers stand still behind an open transaction, so a process that
        // dies in one holds them up for this long.
        config.set("transaction.timeout.ms", "10000");
        // Both must end before the transaction does.
        config.set("message.timeout.ms", "8000");
        config.set("socket.timeout.ms", "9000");
        let (outcome, outcomes) = channel();
        Ok(Self {
            producer: config.create_with_context(Outcomes {
                outcomes: outcome,
                log: ClientLog::default(),
            })?,
            outcomes,
            stop,
        })
    }

    /// Fences every other owner of the id; waits for a broker.
    pub(super) fn take_id(&self) -> Result<(), MoveError> {
        let mut patience = Patience::new();
        loop {
            let error = match self.producer.init_transactions(CALL) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            match nature(&error) {
                Nature::PassesByWaiting => {
                    self.wait(
                        patience.next_pause("give this process the transactional id", &error),
                    );
                }
                Nature::NeedsAbort | Nature::Final if is_denial(code_of(&error)) => {
                    return Err(MoveError::Refused(error.to_string()));
                }
                Nature::NeedsAbort | Nature::Final => {
                    return Err(MoveError::Fenced(error.to_string()));
                }
            }
            if self.stop.is_cancelled() {
                return Err(MoveError::Aborted(error.to_string()));
            }
        }
    }

    /// Writes the records of all moves in one transaction, in their order.
    pub(super) fn write(&self, moves: &[Move]) -> Result<Vec<Stored>, MoveError> {
        self.producer
            .begin_transaction()
            .map_err(|error| MoveError::Fenced(error.to_string()))?;
        let records: Vec<_> = moves.iter().flat_map(|one| &one.records).collect();
        match self.produce(&records) {
            Ok(stored) => self.commit().map(|()| stored),
            Err(error) => {
                self.abort()?;
                Err(error)
            }
        }
    }

    /// Lets the client write its log.
    pub(super) fn serve_log(&self) {
        self.producer.poll(Duration::ZERO);
    }

    fn produce(&self, records: &[&Record<'static>]) -> Result<Vec<Stored>, MoveError> {
        for (number, record) in records.iter().enumerate() {
            let mut native = BaseRecord::with_opaque_to(&record.topic, number).key(&*record.key);
            native.payload = record.value.as_deref();
            native.headers.clone_from(&record.headers);
            self.producer
                .send(native)
                .map_err(|(error, _)| failed(code_of(&error), record.topic()))?;
        }
        self.settle();
        let mut stored = vec![None; records.len()];
        let mut failures = Vec::new();
        for (number, outcome) in self.outcomes.try_iter() {
            match outcome {
                Ok(place) => stored[number] = Some(place),
                Err(code) => failures.push((code, records[number].topic())),
            }
        }
        if let Some((code, topic)) = failures.into_iter().max_by_key(|(code, _)| weight(*code)) {
            return Err(failed(code, topic));
        }
        stored
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| MoveError::Aborted("an acknowledgement is missing".to_owned()))
    }

    /// Waits until every record has its outcome: `message.timeout.ms` at most.
    fn settle(&self) {
        while self.producer.in_flight_count() > 0 {
            self.producer.poll(ACKNOWLEDGEMENT);
        }
    }

    /// Commits; once begun, only the broker's answer says what became of it.
    fn commit(&self) -> Result<(), MoveError> {
        loop {
            let error = match self.producer.commit_transaction(CALL) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            match nature(&error) {
                Nature::PassesByWaiting if self.stop.is_cancelled() => {
                    return Err(MoveError::Unknown(error.to_string()));
                }
                Nature::PassesByWaiting => self.wait(BREATH),
                Nature::NeedsAbort => {
                    self.abort()?;
                    return Err(MoveError::Aborted(error.to_string()));
                }
                Nature::Final => return Err(MoveError::Fenced(error.to_string())),
            }
        }
    }

    fn abort(&self) -> Result<(), MoveError> {
        // The client's own wait for these would not end: only polling ends it.
        // (Purging them here would leave a gap in the sequence of records that
        // the broker expects, and fail the next transaction.)
        self.settle();
        self.outcomes.try_iter().for_each(drop);
        loop {
            let error = match self.producer.abort_transaction(CALL) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            match nature(&error) {
                // The broker aborts it by itself after `transaction.timeout.ms`.
                Nature::PassesByWaiting if self.stop.is_cancelled() => {
                    return Err(MoveError::Aborted(error.to_string()));
                }
                Nature::PassesByWaiting => self.wait(BREATH),
                Nature::NeedsAbort | Nature::Final => {
                    return Err(MoveError::Fenced(error.to_string()));
                }
            }
        }
    }

    /// Serves the client for a while, or until the mover shall end.
    fn wait(&self, pause: Duration) {
        let end = Instant::now() + pause;
        while !self.stop.is_cancelled() && Instant::now() < end {
            self.producer.poll(BREATH.min(pause));
        }
    }
}

/// What an error of a transactional call asks for.
enum Nature {
    PassesByWaiting,
    NeedsAbort,
    Final,
}

fn nature(error: &KafkaError) -> Nature {
    // Any other kind of error is of a call that waited in vain.
    let KafkaError::Transaction(error) = error else {
        return Nature::PassesByWaiting;
    };
    if error.is_fatal() {
        Nature::Final
    } else if error.txn_requires_abort() {
        Nature::NeedsAbort
    } else if error.is_retriable() {
        Nature::PassesByWaiting
    } else {
        Nature::Final
    }
}

fn is_denial(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::TransactionalIdAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
    )
}

/// Where one record fails the client purges the others: their failures say
/// less, and only a refusal is about a record and not about the moment.
fn weight(code: RDKafkaErrorCode) -> u8 {
    use RDKafkaErrorCode as Code;
    if code == Code::Fatal {
        3
    } else if is_refusal(code) {
        2
    } else {
        u8::from(!matches!(code, Code::PurgeQueue | Code::PurgeInflight))
    }
}

fn failed(code: RDKafkaErrorCode, topic: &str) -> MoveError {
    let reason = format!("{code} (topic {topic})");
    if code == RDKafkaErrorCode::Fatal {
        MoveError::Fenced(reason)
    } else if is_refusal(code) {
        MoveError::Refused(reason)
    } else {
        MoveError::Aborted(reason)
    }
}

fn code_of(error: &KafkaError) -> RDKafkaErrorCode {
    error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail)
}
