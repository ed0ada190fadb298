//! What each change makes of an endpoint's record. Pure; `None` where there is
//! nothing to change, and so nothing to write.

use domain::{
    AccountId, Endpoint, EndpointId, EndpointState, ROTATION_OVERLAP, SealedSecret, Timestamp,
};

use super::Found;
use super::Mistake;
use super::fields::{Checked, New, check_effect};

/// A new endpoint, enabled.
pub(super) fn created(
    id: EndpointId,
    account: AccountId,
    new: New,
    secret: SealedSecret,
    now: Timestamp,
) -> Endpoint {
    Endpoint {
        id,
        account,
        url: new.url,
        events: new.events,
        filter: new.filter,
        description: new.description,
        headers: new.headers,
        max_per_second: new.max_per_second,
        paused: false,
        activation: 0,
        version: 1,
        secrets: vec![secret],
        created_at: now,
        updated_at: now,
    }
}

/// With other fields.
///
/// # Errors
/// When its filter then concerns none of its events.
pub(super) fn changed(
    found: &Found,
    fields: Checked,
    now: Timestamp,
) -> Result<Option<Endpoint>, Vec<Mistake>> {
    let mut endpoint = (*found.endpoint).clone();
    let refiltered = fields.events.is_some() || fields.filter.is_some();
    if let Some(url) = fields.url {
        endpoint.url = url;
    }
    if let Some(events) = fields.events {
        endpoint.events = events;
    }
    if let Some(filter) = fields.filter {
        endpoint.filter = filter;
    }
    if refiltered {
        check_effect(&endpoint.filter, &endpoint.events)?;
    }
    if let Some(description) = fields.description {
        endpoint.description = description;
    }
    if let Some(headers) = fields.headers {
        endpoint.headers = headers;
    }
    if let Some(rate) = fields.max_per_second {
        endpoint.max_per_second = rate;
    }
    Ok((endpoint != *found.endpoint).then(|| next(endpoint, now)))
}

pub(super) fn paused(found: &Found, now: Timestamp) -> Option<Endpoint> {
    (!found.endpoint.paused).then(|| {
        let mut endpoint = (*found.endpoint).clone();
        endpoint.paused = true;
        next(endpoint, now)
    })
}

/// Enabled again, whether it was paused or disabled. The activation passes the
/// one that the dispatcher has disabled, so that its word is void.
pub(super) fn resumed(found: &Found, now: Timestamp) -> Option<Endpoint> {
    (found.state() != EndpointState::Enabled).then(|| {
        let mut endpoint = (*found.endpoint).clone();
        let disabled = found
            .said
            .as_ref()
            .map_or(0, |said| said.disabled_activation);
        endpoint.activation = endpoint.activation.max(disabled) + 1;
        endpoint.paused = false;
        next(endpoint, now)
    })
}

/// With a new secret; the one before signs for [`ROTATION_OVERLAP`] more. Of a
/// rotation shortly before nothing remains: two secrets sign at most.
pub(super) fn rotated(found: &Found, secret: SealedSecret, now: Timestamp) -> Endpoint {
    let mut endpoint = (*found.endpoint).clone();
    let old = endpoint.secrets.drain(..).next().map(|old| SealedSecret {
        expires_at: Some(now + ROTATION_OVERLAP),
        ..old
    });
    endpoint.secrets = std::iter::once(secret).chain(old).collect();
    next(endpoint, now)
}

/// The fields of the owner's in which two versions differ, as the API calls
/// them. Their names only: a URL or a header may hold a password.
pub(super) fn differing(old: &Endpoint, new: &Endpoint) -> Vec<&'static str> {
    [
        ("url", old.url != new.url),
        ("events", old.events != new.events),
        ("filter", old.filter != new.filter),
        ("description", old.description != new.description),
        ("headers", old.headers != new.headers),
        ("max_per_second", old.max_per_second != new.max_per_second),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}

/// Counted as a version of its own, without secrets that sign no more.
fn next(mut endpoint: Endpoint, now: Timestamp) -> Endpoint {
    endpoint.version += 1;
    endpoint.updated_at = now;
    endpoint
        .secrets
        .retain(|secret| secret.expires_at.is_none_or(|end| now < end));
    endpoint
}
