//! By what a bulk job has chosen its deliveries, in words.

use domain::{DeadLetterReason, EndpointId, Timestamp};

use super::choice::name_of;
use super::outcomes;
use crate::actor::Scope;
use crate::endpoints::Registry;
use crate::web::Shell;

/// Letters of an endpoint's name among other words.
const LONGEST_NAME: usize = 60;

/// What `domain::FailedFilter` writes, such as `endpoint=ep_… until=…`; `None` for
/// a text that is none.
pub(super) fn in_words(
    shell: &Shell,
    registry: &Registry,
    scope: &Scope,
    filter: &str,
) -> Option<String> {
    let t = &shell.t.chosen;
    if filter == "all" {
        return Some(t.all.to_owned());
    }
    let endpoint = |value: &str| {
        let id: Option<EndpointId> = value.parse().ok();
        let name = id.and_then(|id| name_of(registry, scope, id));
        t.endpoint(name.map_or_else(|| value.to_owned(), |name| beginning(&name)))
    };
    let reason = |reason| outcomes::given_up(shell.t, reason).trim_end_matches('.');
    let moment = |value: &str| {
        let at: Option<Timestamp> = value.parse().ok();
        at.map(|at| shell.language.moment(at))
    };
    let condition = |condition: &str| {
        let (name, value) = condition.split_once('=')?;
        match name {
            "account" => Some(t.account(value)),
            "endpoint" => Some(endpoint(value)),
            "event" => Some(t.event(value)),
            "reason" => DeadLetterReason::parse(value).map(|it| t.reason(reason(it))),
            "since" => moment(value).map(|at| t.since(at)),
            "until" => moment(value).map(|at| t.until(at)),
            "selected" => Some(t.selected.to_owned()),
            _ => None,
        }
    };
    let words: Option<Vec<String>> = filter.split(' ').map(condition).collect();
    words.map(|words| words.join(", "))
}

fn beginning(name: &str) -> String {
    let mut letters = name.trim().chars();
    let mut text: String = letters.by_ref().take(LONGEST_NAME).collect();
    if letters.next().is_some() {
        text.push('…');
    }
    text
}
