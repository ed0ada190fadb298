//! Every question that a page asks.

use std::fmt;
use std::time::{Duration, Instant};

use console::attempts::{
    Attempts, AttemptsError, Cursor, DeliveryState, Filter, MOST_ON_A_PAGE, Range, Scope,
};
use domain::{DeliveryId, EndpointId, EventKind, Timestamp};

use crate::load::ACCOUNT;

/// Deliveries on a page.
const PAGE: usize = 50;

/// How long a question took.
pub(crate) struct Answer {
    what: String,
    times: Vec<Duration>,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |part: usize| {
            let place = (self.times.len() * part / 100).min(self.times.len() - 1);
            self.times[place].as_secs_f64() * 1000.0
        };
        let (half, most, longest) = (at(50), at(99), at(100));
        write!(f, "{:44} {half:8.2} {most:8.2} {longest:8.2}", self.what)
    }
}

struct Asking<'a> {
    attempts: &'a Attempts,
    times: u32,
    answers: Vec<Answer>,
}

impl Asking<'_> {
    async fn ask<T>(
        &mut self,
        what: impl Into<String>,
        question: impl AsyncFn(&Attempts) -> Result<T, AttemptsError>,
    ) -> anyhow::Result<()> {
        let mut times = Vec::new();
        for _ in 0..self.times {
            let begun = Instant::now();
            question(self.attempts).await?;
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        let what = what.into();
        self.answers.push(Answer { what, times });
        Ok(())
    }
}

pub(crate) async fn all(
    attempts: &Attempts,
    endpoints: &[EndpointId],
    sample: DeliveryId,
    times: u32,
) -> anyhow::Result<Vec<Answer>> {
    let mut asking = Asking {
        attempts,
        times,
        answers: Vec::new(),
    };
    let account = Scope::Account(ACCOUNT.parse()?);
    let now = Timestamp::now;
    for range in Range::ALL {
        for (whose, scope, endpoint) in [
            ("all", Scope::All, None),
            ("account", account.clone(), None),
            ("endpoint", account.clone(), Some(endpoints[0])),
        ] {
            let what = format!("series {range:?} of {whose}");
            asking
                .ask(what, async |on| {
                    on.series(scope.clone(), endpoint, range, now()).await
                })
                .await?;
        }
        for asked in [10, 50, endpoints.len()] {
            let listed: Vec<EndpointId> = endpoints.iter().take(asked).copied().collect();
            let what = format!("figures {range:?} of {} endpoints", listed.len());
            asking
                .ask(what, async |on| {
                    on.endpoints(account.clone(), listed.clone(), range, now())
                        .await
                })
                .await?;
        }
    }
    for (whose, scope, endpoint) in [
        ("all", Scope::All, None),
        ("account", account.clone(), None),
        ("endpoint", account.clone(), Some(endpoints[0])),
    ] {
        asking
            .ask(format!("waiting of {whose}"), async |on| {
                on.waiting(scope.clone(), endpoint).await
            })
            .await?;
    }
    for (whose, scope) in [("all", Scope::All), ("account", account.clone())] {
        asking
            .ask(format!("failing of {whose}"), async |on| {
                on.failing(scope.clone()).await
            })
            .await?;
    }
    lists(&mut asking, &account, endpoints[0], sample).await?;
    asking
        .ask("one delivery", async |on| {
            on.delivery(account.clone(), sample).await
        })
        .await?;
    Ok(asking.answers)
}

async fn lists(
    asking: &mut Asking<'_>,
    account: &Scope,
    endpoint: EndpointId,
    sample: DeliveryId,
) -> anyhow::Result<()> {
    let any = Filter::default();
    let state = |state| Filter {
        state: Some(state),
        ..any
    };
    let filters = [
        ("anything", any),
        ("delivered", state(DeliveryState::Delivered)),
        ("waiting", state(DeliveryState::Waiting)),
        ("failed", state(DeliveryState::Failed)),
        (
            "of a kind",
            Filter {
                kind: Some(EventKind::NpsCalculated),
                ..any
            },
        ),
        (
            "of an endpoint",
            Filter {
                endpoint: Some(endpoint),
                ..any
            },
        ),
        (
            "failed, of an endpoint and a kind",
            Filter {
                endpoint: Some(endpoint),
                kind: Some(EventKind::NewFeedback),
                ..state(DeliveryState::Failed)
            },
        ),
        (
            "of an event",
            Filter {
                event: Some(sample.event),
                ..any
            },
        ),
        (
            "failed, of the day before yesterday",
            Filter {
                since: Some(hours_ago(72)),
                until: Some(hours_ago(48)),
                ..state(DeliveryState::Failed)
            },
        ),
    ];
    for (what, filter) in filters {
        for (whose, scope) in [("all", Scope::All), ("account", account.clone())] {
            let after = far_down(asking.attempts, &scope, filter).await?;
            for (place, after) in [("first", None), ("later", after)] {
                if place == "later" && after.is_none() {
                    continue;
                }
                asking
                    .ask(format!("{place} page, {what}, {whose}"), async |on| {
                        on.deliveries(scope.clone(), filter, after, PAGE).await
                    })
                    .await?;
            }
        }
    }
    Ok(())
}

/// A place some thousand deliveries down the list.
async fn far_down(
    attempts: &Attempts,
    scope: &Scope,
    filter: Filter,
) -> anyhow::Result<Option<Cursor>> {
    let mut after = None;
    for _ in 0..20 {
        let page = attempts
            .deliveries(scope.clone(), filter, after, MOST_ON_A_PAGE)
            .await?;
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    Ok(after)
}

fn hours_ago(hours: i64) -> Timestamp {
    Timestamp::from_millis(Timestamp::now().millis() - hours * 3600 * 1000)
}
