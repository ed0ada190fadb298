//! Changes: judged, written, and read back.

use std::sync::Arc;
use std::time::Duration;

use domain::{
    AccountId, AuditAction, AuditRecord, Endpoint, EndpointId, EndpointKey, Secret, Timestamp,
};
use kafka::{Record, Stored};
use tokio::sync::MutexGuard;
use tokio::time::timeout;

use super::kind::Kind;
use super::{
    Fields, Found, Precondition, READ_TIME, Refusal, Registry, SigningSecrets, Unavailable, change,
};
use crate::actor::{Actor, Scope};

/// How long a change waits for others of the same endpoint.
const TURN_TIME: Duration = Duration::from_secs(10);

/// An endpoint with the secret that was just made for it.
#[derive(Debug)]
pub(crate) struct Created {
    /// The endpoint.
    pub(crate) found: Found,
    /// Its current secret.
    pub(crate) secret: Secret,
}

impl Registry {
    /// Makes an endpoint, enabled, for the account of `by` or the one that is
    /// named.
    ///
    /// # Errors
    /// [`Refusal::Account`], [`Refusal::Invalid`], [`Refusal::TooMany`],
    /// [`Refusal::Unavailable`].
    pub(crate) async fn create(
        &self,
        by: &Actor,
        named: Option<AccountId>,
        fields: Fields,
    ) -> Result<Created, Refusal> {
        let account = by.account(named)?;
        let new = fields.check_new(&self.guard).map_err(Refusal::Invalid)?;
        let _turn = self.turn(&account).await?;
        let limit = self.per_account;
        if self.read().count(&account) >= limit {
            return Err(Refusal::TooMany { limit });
        }
        let id = EndpointId::generate();
        let secret = Secret::generate();
        let sealed = self.keys.seal(&account, id, &secret);
        let endpoint = change::created(id, account, new, sealed, Timestamp::now());
        self.tell(by, Kind::Created.action(), &endpoint, None)
            .await?;
        let found = self.write(endpoint, Kind::Created).await?;
        Ok(Created { found, secret })
    }

    /// Sets fields.
    ///
    /// # Errors
    /// [`Refusal::Invalid`], and those of [`Registry::pause`].
    pub(crate) async fn change(
        &self,
        by: &Actor,
        id: EndpointId,
        on: &Precondition,
        fields: Fields,
    ) -> Result<Found, Refusal> {
        // What others may not see is not judged for them either.
        self.get(&by.scope, id).await?;
        let checked = fields.check(&self.guard).map_err(Refusal::Invalid)?;
        self.rewrite(by, id, on, Kind::Changed, |found, now| {
            change::changed(found, checked, now).map_err(Refusal::Invalid)
        })
        .await
    }

    /// Pauses it: its deliveries wait.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::VersionDiffers`], [`Refusal::Unavailable`].
    pub(crate) async fn pause(
        &self,
        by: &Actor,
        id: EndpointId,
        on: &Precondition,
    ) -> Result<Found, Refusal> {
        let pause = |found: &Found, now| Ok(change::paused(found, now));
        self.rewrite(by, id, on, Kind::Paused, pause).await
    }

    /// Enables it again, whether it was paused or disabled.
    ///
    /// # Errors
    /// Those of [`Registry::pause`].
    pub(crate) async fn resume(
        &self,
        by: &Actor,
        id: EndpointId,
        on: &Precondition,
    ) -> Result<Found, Refusal> {
        let resume = |found: &Found, now| Ok(change::resumed(found, now));
        self.rewrite(by, id, on, Kind::Resumed, resume).await
    }

    /// Gives it a new secret. The one before signs for 24 h more.
    ///
    /// # Errors
    /// Those of [`Registry::pause`].
    pub(crate) async fn rotate_secret(
        &self,
        by: &Actor,
        id: EndpointId,
        on: &Precondition,
    ) -> Result<Created, Refusal> {
        let secret = Secret::generate();
        let rotate = |found: &Found, now| {
            let sealed = self.keys.seal(&found.endpoint.account, id, &secret);
            Ok(Some(change::rotated(found, sealed, now)))
        };
        let found = self
            .rewrite(by, id, on, Kind::SecretRotated, rotate)
            .await?;
        Ok(Created { found, secret })
    }

    /// Shows the secrets that sign now. That, too, stands in the audit.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::Sealed`], [`Refusal::Unavailable`].
    pub(crate) async fn reveal(
        &self,
        by: &Actor,
        id: EndpointId,
    ) -> Result<SigningSecrets, Refusal> {
        let found = self.get(&by.scope, id).await?;
        let secrets = self.secrets(&found.endpoint)?;
        let action = AuditAction::SecretRevealed;
        self.tell(by, action, &found.endpoint, None).await?;
        Ok(secrets)
    }

    /// Deletes it. Deliveries that wait for it are dropped.
    ///
    /// # Errors
    /// Those of [`Registry::pause`].
    pub(crate) async fn delete(
        &self,
        by: &Actor,
        id: EndpointId,
        on: &Precondition,
    ) -> Result<(), Refusal> {
        let _turn = self.turn(id).await?;
        let found = self.newest(&by.scope, id, on).await?;
        self.tell(by, Kind::Deleted.action(), &found.endpoint, None)
            .await?;
        // The record first: without it the state means nothing. The other way
        // round a disabled endpoint would be enabled for a moment.
        let keys = [EndpointKey::Record(id), EndpointKey::State(id)];
        let mut last = None;
        for key in keys.map(|key| key.to_string()) {
            let tombstone = Record::tombstone(&self.topic, key.as_bytes());
            last = Some(self.publish(tombstone).await?);
        }
        if let Some(stored) = last {
            self.read_back(stored).await?;
        }
        self.count(Kind::Deleted, &found.endpoint);
        Ok(())
    }

    /// Rewrites a record from its newest version. Nothing is written where
    /// `rewrite` changes nothing.
    async fn rewrite(
        &self,
        by: &Actor,
        id: EndpointId,
        on: &Precondition,
        kind: Kind,
        rewrite: impl FnOnce(&Found, Timestamp) -> Result<Option<Endpoint>, Refusal>,
    ) -> Result<Found, Refusal> {
        let _turn = self.turn(id).await?;
        let found = self.newest(&by.scope, id, on).await?;
        let Some(endpoint) = rewrite(&found, Timestamp::now())? else {
            return Ok(found);
        };
        let fields = change::differing(&found.endpoint, &endpoint);
        let detail = (!fields.is_empty()).then(|| fields.join(", "));
        self.tell(by, kind.action(), &endpoint, detail).await?;
        Ok(self.write(endpoint, kind).await?)
    }

    /// Tells the audit what is about to be done.
    async fn tell(
        &self,
        by: &Actor,
        action: AuditAction,
        endpoint: &Endpoint,
        detail: Option<String>,
    ) -> Result<(), Unavailable> {
        let record = AuditRecord {
            at: Timestamp::now(),
            account: Some(endpoint.account.clone()),
            token: by.token.clone(),
            action,
            subject: endpoint.id.to_string(),
            detail,
        };
        let recorded = self.audit.record(record).await;
        recorded.map_err(Unavailable::NotAudited)
    }

    async fn turn(&self, what: impl std::hash::Hash) -> Result<MutexGuard<'_, ()>, Unavailable> {
        timeout(TURN_TIME, self.turns.of(what))
            .await
            .map_err(|_| Unavailable::NotWritten)
    }

    /// The endpoint as the topic has it now, whoever wrote it.
    async fn newest(
        &self,
        scope: &Scope,
        id: EndpointId,
        on: &Precondition,
    ) -> Result<Found, Refusal> {
        self.read_to_end().await?;
        let found = self.known(scope, id)?;
        let current = found.endpoint.version;
        if on.holds(current) {
            Ok(found)
        } else {
            Err(Refusal::VersionDiffers { current })
        }
    }

    async fn write(&self, endpoint: Endpoint, kind: Kind) -> Result<Found, Unavailable> {
        let key = EndpointKey::Record(endpoint.id).to_string();
        let value = serde_json::to_vec(&endpoint).expect("an endpoint holds only what JSON can");
        let stored = self
            .publish(Record::new(&self.topic, key.as_bytes(), value))
            .await?;
        self.read_back(stored).await?;
        self.count(kind, &endpoint);
        let said = self.read().get(endpoint.id).and_then(|found| found.said);
        Ok(Found {
            endpoint: Arc::new(endpoint),
            said,
        })
    }

    async fn publish(&self, record: Record<'_>) -> Result<Stored, Unavailable> {
        Ok(self.publisher.publish(record).await?)
    }

    async fn read_back(&self, stored: Stored) -> Result<(), Unavailable> {
        match timeout(READ_TIME, self.reader.wait_for(stored.offset)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(kafka::TableEnded)) | Err(_) => Err(Unavailable::NotReadBack),
        }
    }

    fn count(&self, kind: Kind, endpoint: &Endpoint) {
        let kind = kind.as_str();
        self.metrics.changes.with_label_values(&[kind]).inc();
        tracing::info!(
            change = kind,
            account = %endpoint.account,
            endpoint = %endpoint.id,
            version = endpoint.version,
            "an endpoint was changed"
        );
    }
}
