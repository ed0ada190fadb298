//! Whom a test event goes to.

use std::collections::BTreeMap;

use delivery::{Guard, PreparedRequest, Refused, Target};
use domain::{Endpoint, Secret, SigningKey};

use crate::endpoints::{Mistake, SigningSecrets, Wrong};

/// What may become an endpoint. It does not show itself: it holds a secret.
#[derive(Clone, Default)]
pub(crate) struct Draft {
    /// Where the test event goes.
    pub(crate) url: Option<String>,
    /// Headers of the owner's own.
    pub(crate) headers: BTreeMap<String, String>,
    /// What signs; without one a new secret that nobody is ever shown.
    pub(crate) secret: Option<String>,
}

/// Somebody whom the guard lets us send to, and what signs for them.
#[derive(Debug)]
pub(super) struct Addressee {
    pub(super) url: String,
    pub(super) target: Target,
    pub(super) headers: PreparedRequest,
    pub(super) keys: Vec<SigningKey>,
}

impl Addressee {
    /// An endpoint. It was checked when it was made, but the settings may have
    /// become stricter since.
    pub(super) fn saved(
        guard: &Guard,
        endpoint: &Endpoint,
        secrets: &SigningSecrets,
    ) -> Result<Self, Refused> {
        Ok(Self {
            url: endpoint.url.clone(),
            target: guard.check_url(&endpoint.url)?,
            headers: PreparedRequest::new(&endpoint.headers)?,
            keys: secrets.keys(),
        })
    }

    /// What may become an endpoint, judged as at its creation.
    pub(super) fn draft(guard: &Guard, draft: Draft) -> Result<Self, Vec<Mistake>> {
        let url = draft
            .url
            .ok_or_else(|| Mistake::new("$.url", Wrong::UrlMissing));
        let target = url.and_then(|url| match guard.check_url(&url) {
            Ok(target) => Ok((url, target)),
            Err(refused) => Err(Mistake::new("$.url", Wrong::Refused(refused))),
        });
        let headers = PreparedRequest::new(&draft.headers)
            .map_err(|refused| Mistake::new("$.headers", Wrong::Refused(refused)));
        let secret = match &draft.secret {
            None => Ok(Secret::generate()),
            Some(text) => Secret::parse(text)
                .map_err(|refused| Mistake::new("$.secret", Wrong::Secret(refused))),
        };
        match (target, headers, secret) {
            (Ok((url, target)), Ok(headers), Ok(secret)) => Ok(Self {
                url,
                target,
                headers,
                keys: vec![SigningKey::new(&secret)],
            }),
            (target, headers, secret) => {
                let mistakes = [target.err(), headers.err(), secret.err()];
                Err(mistakes.into_iter().flatten().collect())
            }
        }
    }
}
