//! The endpoints of all accounts, and everything that can be done with them.
//! Whatever shows them to people (REST, pages) stands on this and decides
//! nothing itself.
//!
//! The topic `webhooks.endpoints` is the truth, and this follows it. A change
//! first tells the audit. Then it writes the whole record, waits for all in-sync
//! replicas, and until the record has come back: whoever asks here afterwards
//! sees it. Changes of one endpoint take turns within one console. Between
//! several consoles there is no lock: each reads the topic to its end before it
//! changes anything, and of changes that are under way at the same moment the
//! last writer wins, also over a deletion.

mod change;
mod fields;
mod kind;
mod mistake;
mod precondition;
mod reader;
mod refusal;
mod table;
mod turns;
mod write;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use delivery::Guard;
use domain::{
    AccountId, Endpoint, EndpointId, EndpointState, EndpointStateRecord, KeyRing, OpenError,
    Secret, SigningKey, Timestamp,
};
use kafka::{Connection, ConnectionError, Publisher, PublisherOptions, Table};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub(crate) use fields::{Fields, MAX_DESCRIPTION, MAX_PER_SECOND};
pub(crate) use mistake::{Mistake, Wrong};
pub(crate) use precondition::Precondition;
pub(crate) use refusal::{Refusal, Unavailable};
pub(crate) use table::{Place, StateCounts};
pub(crate) use write::Created;

use crate::actor::Scope;
use crate::audit::Audit;
use crate::metrics::Metrics;
use table::EndpointTable;
use turns::Turns;

/// How long the topic may take to be read to its end, or to a new record.
const READ_TIME: Duration = Duration::from_secs(5);

/// An endpoint as it stands.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// The console's record.
    pub(crate) endpoint: Arc<Endpoint>,
    /// The dispatcher's word on it.
    pub(crate) said: Option<EndpointStateRecord>,
}

impl Found {
    /// Whether it gets deliveries.
    #[must_use]
    pub(crate) fn state(&self) -> EndpointState {
        self.endpoint.state(self.said.as_ref())
    }

    /// Its place in the list of all.
    #[must_use]
    pub(crate) fn place(&self) -> Place {
        Place {
            account: self.endpoint.account.clone(),
            created_at: self.endpoint.created_at,
            id: self.endpoint.id,
        }
    }
}

/// The secrets of an endpoint that sign now.
#[derive(Debug)]
pub(crate) struct SigningSecrets {
    /// The current one.
    pub(crate) current: Secret,
    /// The one that a rotation replaced, and until when it signs.
    pub(crate) previous: Option<(Secret, Timestamp)>,
}

/// All endpoints. Share it in an [`Arc`].
#[derive(Debug)]
pub(crate) struct Registry {
    table: Arc<RwLock<EndpointTable>>,
    reader: Table,
    publisher: Arc<Publisher>,
    topic: String,
    audit: Audit,
    turns: Turns,
    keys: KeyRing,
    guard: Guard,
    per_account: usize,
    metrics: Metrics,
}

/// What a registry rests on.
#[derive(Debug)]
pub(crate) struct Foundation {
    pub(crate) connection: Connection,
    pub(crate) topic: String,
    pub(crate) audit_topic: String,
    pub(crate) keys: KeyRing,
    pub(crate) guard: Guard,
    pub(crate) per_account: usize,
    pub(crate) metrics: Metrics,
}

impl Registry {
    /// Starts to follow the topics, which must be there.
    pub(crate) fn open(on: Foundation) -> Result<Self, ConnectionError> {
        /// After this a change is answered with 503: it may be written or not.
        const MESSAGE_TIME: Duration = Duration::from_secs(5);
        let options = PublisherOptions {
            message_timeout: MESSAGE_TIME,
            ..PublisherOptions::default()
        };
        let table = Arc::new(RwLock::new(EndpointTable::default()));
        let follower = reader::follower(Arc::clone(&table), on.metrics.clone());
        // A token of its own: requests that end after the shutdown was asked
        // for still wait for their records. Dropping the reader ends it.
        let never = CancellationToken::new();
        let start = kafka::Start::Beginning;
        let reader = Table::follow(
            &on.connection,
            "endpoint-table",
            &on.topic,
            start,
            follower,
            &never,
        )?;
        let publisher = Publisher::open(&on.connection, "endpoint-writer", options)?;
        let publisher = Arc::new(publisher);
        let audit = Audit::open(
            &on.connection,
            Arc::clone(&publisher),
            on.audit_topic,
            on.metrics.clone(),
        )?;
        Ok(Self {
            table,
            reader,
            publisher,
            topic: on.topic,
            audit,
            turns: Turns::new(),
            keys: on.keys,
            guard: on.guard,
            per_account: on.per_account,
            metrics: on.metrics,
        })
    }

    /// Waits until the table was read to its end once.
    pub(crate) async fn caught_up(&self) -> Result<(), kafka::TableEnded> {
        self.reader.caught_up().await
    }

    /// Waits until this can be used no longer, and says why. Usually never.
    pub(crate) async fn failed(&self) -> String {
        tokio::select! {
            () = self.reader.ended() => kafka::TableEnded.to_string(),
            () = self.audit.ended() => kafka::FollowerEnded.to_string(),
            why = self.publisher.failed() => why,
        }
    }

    /// What was done with the endpoints, and by whom.
    pub(crate) const fn audit(&self) -> &Audit {
        &self.audit
    }

    /// Up to `limit` endpoints behind `after`: those that `scope` reaches and
    /// `keep` wants.
    #[must_use]
    pub(crate) fn list(
        &self,
        scope: &Scope,
        after: Option<&Place>,
        limit: usize,
        keep: impl Fn(&Found) -> bool,
    ) -> Vec<Found> {
        let account = match scope {
            Scope::Account(account) => Some(account),
            Scope::Every => None,
        };
        self.read().list(account, after, limit, keep)
    }

    /// How many endpoints that `scope` reaches are in each state.
    #[must_use]
    pub(crate) fn counts(&self, scope: &Scope) -> StateCounts {
        match scope {
            Scope::Account(account) => self.read().counts_of(account),
            Scope::Every => self.read().counts(),
        }
    }

    /// The accounts that have endpoints, in the order of their names.
    #[must_use]
    pub(crate) fn accounts(&self) -> Vec<AccountId> {
        self.read().accounts()
    }

    /// One endpoint. One that is not known here is looked for on the topic once
    /// more: another console may have made it a moment ago.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], also for one of an account that `scope` does not reach.
    pub(crate) async fn get(&self, scope: &Scope, id: EndpointId) -> Result<Found, Refusal> {
        match self.known(scope, id) {
            Err(Refusal::NotFound) => {
                self.read_to_end().await?;
                self.known(scope, id)
            }
            known => known,
        }
    }

    /// Which URLs endpoints may have.
    #[must_use]
    pub(crate) const fn guard(&self) -> &Guard {
        &self.guard
    }

    /// What is not allowed in these fields, before anything is made of them.
    #[must_use]
    pub(crate) fn judge(&self, fields: Fields) -> Vec<Mistake> {
        fields.check_new(&self.guard).err().unwrap_or_default()
    }

    /// The secrets that sign now, to sign with. Who wants to see them asks
    /// [`Registry::reveal`].
    ///
    /// # Errors
    /// When the settings lack the key that sealed them.
    pub(crate) fn secrets(&self, endpoint: &Endpoint) -> Result<SigningSecrets, OpenError> {
        let mut signing = endpoint.signing_secrets(Timestamp::now());
        let open = |sealed| self.keys.open(&endpoint.account, endpoint.id, sealed);
        let current = signing.next().or_else(|| endpoint.secrets.first());
        let current = current.ok_or_else(|| OpenError::Refused("none".to_owned()))?;
        let previous = signing.next().and_then(|old| Some((old, old.expires_at?)));
        Ok(SigningSecrets {
            current: open(current)?,
            previous: match previous {
                Some((old, expires_at)) => Some((open(old)?, expires_at)),
                None => None,
            },
        })
    }

    /// Whether the endpoint is there, whoever's it is.
    #[must_use]
    pub(crate) fn is_there(&self, id: EndpointId) -> bool {
        self.read().get(id).is_some()
    }

    /// One endpoint, as far as it is known here: for lists.
    ///
    /// # Errors
    /// As [`Registry::get`].
    pub(crate) fn known(&self, scope: &Scope, id: EndpointId) -> Result<Found, Refusal> {
        self.read()
            .get(id)
            .filter(|found| scope.reaches(&found.endpoint.account))
            .ok_or(Refusal::NotFound)
    }

    async fn read_to_end(&self) -> Result<(), Unavailable> {
        match timeout(READ_TIME, self.reader.read_to_end()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(kafka::TableEnded)) | Err(_) => Err(Unavailable::NotWritten),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, EndpointTable> {
        // Each record is taken in wholly or not at all: a poisoned lock harms nothing.
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SigningSecrets {
    /// The keys that sign now, the newest first.
    #[must_use]
    pub(crate) fn keys(&self) -> Vec<SigningKey> {
        let previous = self.previous.as_ref().map(|(secret, _)| secret);
        std::iter::once(&self.current)
            .chain(previous)
            .map(SigningKey::new)
            .collect()
    }
}
