//! What the filters above lists of deliveries have in common: the account, the
//! endpoint, the kind of event, and the time.

use domain::{AccountId, EndpointId, EventKind, Timestamp};

use super::endpoint;
use crate::actor::Scope;
use crate::endpoints::Registry;
use crate::web::{Errors, Failure, Form, Shell, Signed};

/// Endpoints that are offered while somebody types: a page stays light.
const OFFERED: usize = 100;

/// What the URL asks for; what it does not name is not asked.
pub(super) struct Choice {
    pub(super) account: String,
    /// What is seen: all that the token reaches, or the account of it.
    pub(super) scope: Scope,
    /// As it was typed.
    pub(super) endpoint: String,
    pub(super) endpoint_id: Option<EndpointId>,
    pub(super) event: Option<EventKind>,
    pub(super) since: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
}

impl Choice {
    /// Says in `errors` what cannot be understood.
    ///
    /// # Errors
    /// When the account is another one's.
    pub(super) fn of(
        query: &Form,
        registry: &Registry,
        signed: &Signed,
        errors: &mut Errors,
    ) -> Result<Self, Failure> {
        let t = signed.language().messages();
        let event = query.chosen("event", &EventKind::ALL, EventKind::as_str, t, errors);
        let scope = signed.scope_of(query, errors)?;
        let endpoint = query.text("endpoint").trim().to_owned();
        let endpoint_id = match endpoint_called(registry, &scope, &endpoint) {
            Called::Nothing => None,
            Called::One(id) => Some(id),
            Called::Several(ids) => {
                let ids: Vec<String> = ids.iter().map(EndpointId::to_string).collect();
                errors.add("endpoint", t.search.endpoint_several(ids.join(", ")));
                None
            }
            Called::Unknown => {
                errors.add("endpoint", t.search.endpoint_wrong);
                None
            }
        };
        let mut moment = |field: &str| {
            let text = query.text(field).trim();
            let moment = moment(text);
            if moment.is_none() && !text.is_empty() {
                errors.add(field, t.search.moment_wrong);
            }
            moment
        };
        let (since, until) = (moment("since"), moment("until"));
        if since.is_some_and(|since| until.is_some_and(|until| until < since)) {
            errors.add("until", t.search.until_wrong);
        }
        Ok(Self {
            account: query.text("account").trim().to_owned(),
            scope,
            endpoint,
            endpoint_id,
            event,
            since,
            until,
        })
    }

    pub(super) fn is_any(&self) -> bool {
        !self.account.is_empty()
            || !self.endpoint.is_empty()
            || self.event.is_some()
            || self.since.is_some()
            || self.until.is_some()
    }

    pub(super) fn since_field(&self) -> String {
        self.since.map(field).unwrap_or_default()
    }

    pub(super) fn until_field(&self) -> String {
        self.until.map(field).unwrap_or_default()
    }
}

/// RFC 3339, or in UTC as `<input type="datetime-local">` has it.
fn moment(text: &str) -> Option<Timestamp> {
    let as_field = || format!("{text}:00Z").parse().ok();
    let with_seconds = || format!("{text}Z").parse().ok();
    text.parse().ok().or_else(as_field).or_else(with_seconds)
}

/// As the field has it.
pub(super) fn field(moment: Timestamp) -> String {
    moment.to_string().chars().take(16).collect()
}

/// Which endpoint somebody means.
#[derive(Debug, PartialEq, Eq)]
enum Called {
    /// Nothing was typed.
    Nothing,
    /// The id, also of one that is deleted, or the name of one alone.
    One(EndpointId),
    /// Some of those that could be meant.
    Several(Vec<EndpointId>),
    Unknown,
}

/// Endpoints that could be meant and are named.
const NAMED: usize = 5;

/// By its id, its name, or a part of its name that no other has; in any case of
/// letters.
fn endpoint_called(registry: &Registry, scope: &Scope, text: &str) -> Called {
    if text.is_empty() {
        return Called::Nothing;
    }
    if let Ok(id) = text.parse() {
        return Called::One(id);
    }
    let text = text.to_lowercase();
    let called = |fits: &dyn Fn(&str) -> bool| {
        let found = registry.list(scope, None, NAMED, |found| {
            fits(&endpoint::name(&found.endpoint).to_lowercase())
        });
        found.iter().map(|found| found.endpoint.id).collect()
    };
    let mut ids: Vec<EndpointId> = called(&|name| name == text);
    if ids.is_empty() {
        ids = called(&|name| name.contains(&text));
    }
    match ids[..] {
        [] => Called::Unknown,
        [id] => Called::One(id),
        [..] => Called::Several(ids),
    }
}

/// What a filter offers to choose from.
pub(super) struct Offer {
    /// The first ones: their ids and names.
    pub(super) endpoints: Vec<(EndpointId, String)>,
    /// For operators.
    pub(super) accounts: Vec<AccountId>,
}

impl Offer {
    pub(super) fn of(registry: &Registry, scope: &Scope, shell: &Shell) -> Self {
        let found = registry.list(scope, None, OFFERED, |_| true);
        let named = |found: &crate::endpoints::Found| {
            let endpoint = &found.endpoint;
            (endpoint.id, endpoint::name(endpoint))
        };
        Self {
            endpoints: found.iter().map(named).collect(),
            accounts: if shell.is_operator() {
                registry.accounts()
            } else {
                Vec::new()
            },
        }
    }
}

/// What people call an endpoint; `None` for one that is deleted.
pub(super) fn name_of(registry: &Registry, scope: &Scope, id: EndpointId) -> Option<String> {
    let found = registry.known(scope, id).ok()?;
    Some(endpoint::name(&found.endpoint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_programs_and_as_browsers_write_them() {
        let at: Timestamp = "2024-06-15T14:32:00Z".parse().unwrap();
        for text in [
            "2024-06-15T14:32:00Z",
            "2024-06-15T16:32:00+02:00",
            "2024-06-15T14:32",
            "2024-06-15T14:32:00",
        ] {
            assert_eq!(moment(text), Some(at), "{text}");
        }
        assert_eq!(field(at), "2024-06-15T14:32");
        for text in ["", "today", "2024-06-15", "14:32"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
