//! `producer import`: publishes the events of an NDJSON file straight to Kafka.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use domain::{AccountId, EventId, Submission};
use kafka::{PublishError as KafkaError, TopicError, ensure_topics};
use service::settings::SettingsError;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::publisher::{NewEvent, Publication, PublishError, Publisher};
use crate::settings::Settings;

mod lines;
mod progress;

use lines::Line;
use progress::Progress;

/// Bytes of a line. Written with much white space it may be longer than its
/// envelope, which has at most 64 KiB.
const MAX_LINE: usize = 128 * 1024;
/// Lines that are read ahead.
const READ_AHEAD: usize = 64;
/// Events on their way; their bytes are bounded by `ingest.in_flight_bytes`.
const IN_FLIGHT: usize = 10_000;
/// How long a cluster may take to answer at the start.
const REACH_TIME: Duration = Duration::from_secs(30);

/// Where the events stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

/// What became of the lines. Empty ones are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Lines that held something.
    pub read: u64,
    /// On all in-sync replicas.
    pub published: u64,
    /// Lines that are no event.
    pub refused: u64,
    /// Events that Kafka has not acknowledged.
    pub failed: u64,
    /// Whether it ended before the end of the input.
    pub stopped: bool,
}

/// Why an import could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A setting is wrong, or the topic cannot be used (exit 64).
    #[error("the settings cannot be used")]
    Settings(#[from] SettingsError),
    /// The input cannot be read.
    #[error("{name} cannot be read")]
    Input {
        /// The file's name.
        name: String,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// No broker answers.
    #[error("Kafka at {brokers} does not answer; nothing was published")]
    Unreachable {
        /// Where it should be.
        brokers: String,
    },
}

impl Counts {
    /// Whether every line was published.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.refused == 0 && self.failed == 0 && !self.stopped
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            read,
            published,
            refused,
            failed,
            stopped,
        } = self;
        write!(
            out,
            "read {read}, published {published}, refused {refused}, failed {failed}"
        )?;
        if *stopped {
            out.write_str(" (stopped before the end)")?;
        }
        Ok(())
    }
}

/// A line of the input.
struct Numbered {
    number: u64,
    /// Bytes of the input up to its end.
    read: u64,
    line: Line,
}

/// Publishes the events of `source` as `account`'s, in order for each
/// customer. A line that is no event is told on stderr and does not stop the
/// rest; when Kafka does not take events it stops, as it does on `shutdown`.
///
/// # Errors
/// See [`ImportError`]; lines that fail are counted instead.
pub async fn import(
    settings: &Settings,
    account: &AccountId,
    source: &Source,
    shutdown: &CancellationToken,
) -> Result<Counts, ImportError> {
    settings.check()?;
    let (input, bytes) = source.open().map_err(|error| ImportError::Input {
        name: source.to_string(),
        error,
    })?;
    let connection = settings.connection()?;
    let topics = settings.topic_names();
    let specs = [topics.events_spec()];
    let ensure = ensure_topics(&connection, &specs, settings.topic_policy(), shutdown);
    let Ok(differences) = timeout(REACH_TIME, ensure).await else {
        let brokers = connection.brokers().to_owned();
        return Err(ImportError::Unreachable { brokers });
    };
    match differences {
        Ok(differences) => {
            for difference in differences {
                tracing::warn!("{difference}");
            }
        }
        Err(TopicError::Stopped) => {
            return Ok(Counts {
                stopped: true,
                ..Counts::default()
            });
        }
        Err(error) => return Err(SettingsError::from(error).into()),
    }
    let publisher = Publisher::connect(&connection, &topics, settings.publisher_options())
        .map_err(SettingsError::from)?;
    let mut run = Run {
        publisher: &publisher,
        account,
        progress: Progress::new(bytes),
        flying: VecDeque::new(),
        counts: Counts::default(),
    };
    let ended = run.all(input, shutdown).await;
    run.progress.finish();
    let counts = run.counts;
    ended.map(|()| counts).map_err(|error| ImportError::Input {
        name: source.to_string(),
        error,
    })
}

impl Source {
    /// `-` is standard input.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text == "-" {
            Self::Stdin
        } else {
            Self::File(PathBuf::from(text))
        }
    }

    fn open(&self) -> io::Result<(Box<dyn BufRead + Send>, Option<u64>)> {
        match self {
            Self::File(path) => {
                let file = File::open(path)?;
                let metadata = file.metadata()?;
                if metadata.is_dir() {
                    return Err(io::ErrorKind::IsADirectory.into());
                }
                // A pipe with a name has no length.
                let bytes = metadata.is_file().then_some(metadata.len());
                Ok((Box::new(BufReader::new(file)), bytes))
            }
            Self::Stdin => Ok((Box::new(BufReader::new(io::stdin())), None)),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => Path::display(path).fmt(out),
            Self::Stdin => out.write_str("standard input"),
        }
    }
}

/// An import at work.
struct Run<'a> {
    publisher: &'a Publisher,
    account: &'a AccountId,
    progress: Progress,
    /// Line numbers and what becomes of the events, in order.
    flying: VecDeque<(u64, Publication)>,
    counts: Counts,
}

impl Run<'_> {
    async fn all(
        &mut self,
        input: Box<dyn BufRead + Send>,
        shutdown: &CancellationToken,
    ) -> io::Result<()> {
        let mut lines = read_lines(input)?;
        let mut result = Ok(());
        loop {
            let next = tokio::select! {
                next = lines.recv() => next,
                () = shutdown.cancelled() => {
                    self.counts.stopped = true;
                    break;
                }
            };
            match next {
                None => break,
                Some(Err(error)) => {
                    result = Err(error);
                    break;
                }
                Some(Ok(line)) => self.line(line).await,
            }
            if self.flying.len() >= IN_FLIGHT {
                self.land().await;
            }
            if self.counts.stopped {
                self.progress
                    .say("Kafka does not take events: the rest is not read");
                break;
            }
        }
        while !self.flying.is_empty() {
            self.land().await;
        }
        result
    }

    async fn line(&mut self, Numbered { number, read, line }: Numbered) {
        self.progress.set(read, self.counts.published);
        let text = match line {
            Line::Whole(text) => text,
            Line::TooLong(found) => {
                self.counts.read += 1;
                let error = format!("the line is {found} bytes long, allowed are {MAX_LINE}");
                return self.refuse(number, &error);
            }
        };
        let text = text.trim_ascii();
        if text.is_empty() {
            return;
        }
        self.counts.read += 1;
        let submission = match Submission::parse(text) {
            Ok(submission) => submission,
            Err(error) => return self.refuse(number, &error.to_string()),
        };
        let event = NewEvent {
            account: self.account.clone(),
            id: EventId::generate(),
            submission,
            traceparent: None,
        };
        match self.publisher.start(event).await {
            Ok(publication) => self.flying.push_back((number, publication)),
            Err(error) => self.fail(number, &error),
        }
    }

    /// Waits for the oldest event on its way.
    async fn land(&mut self) {
        let Some((number, publication)) = self.flying.pop_front() else {
            return;
        };
        match publication.await {
            Ok(_) => self.counts.published += 1,
            Err(error) => self.fail(number, &error),
        }
    }

    fn refuse(&mut self, number: u64, error: &str) {
        self.counts.refused += 1;
        self.progress.say(&format!("line {number}: {error}"));
    }

    fn fail(&mut self, number: u64, error: &PublishError) {
        match error {
            PublishError::Event(error) => return self.refuse(number, &error.to_string()),
            PublishError::Kafka(KafkaError::Refused { .. } | KafkaError::Full) => {}
            PublishError::Kafka(
                KafkaError::Unknown { .. } | KafkaError::Failed | KafkaError::Closed,
            ) => self.counts.stopped = true,
        }
        self.counts.failed += 1;
        self.progress.say(&format!("line {number}: {error}"));
    }
}

/// Reads on a thread of its own, because reading blocks. The thread ends when
/// the receiver is dropped or the input ends; nobody waits for one that still
/// waits for standard input.
fn read_lines(
    mut input: Box<dyn BufRead + Send>,
) -> io::Result<mpsc::Receiver<io::Result<Numbered>>> {
    let (sender, lines) = mpsc::channel(READ_AHEAD);
    let read = move || {
        let (mut number, mut read) = (0, 0);
        loop {
            let next = match lines::next(&mut input, MAX_LINE) {
                Ok(None) => return,
                Ok(Some((line, bytes))) => {
                    number += 1;
                    read += bytes;
                    Ok(Numbered { number, read, line })
                }
                Err(error) => Err(error),
            };
            let failed = next.is_err();
            if sender.blocking_send(next).is_err() || failed {
                return;
            }
        }
    };
    thread::Builder::new().name("read".to_owned()).spawn(read)?;
    Ok(lines)
}
