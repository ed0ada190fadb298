//! When a failed delivery is tried again: the schedule in force as a time line.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use domain::{EXPIRES_AFTER, LONGEST_CLOSE};

use super::waiting::Waits;
use crate::web::{Page, Pages, Section, Shell, Signed, filters, html};

/// Seconds.
const DAY: u64 = 24 * 3600;

#[derive(Template)]
#[template(path = "retry_policy.html")]
struct RetryPolicyPage {
    shell: Shell,
    timeout: String,
    retries: u64,
    /// From the first attempt to the last, where each answer comes at once.
    whole: String,
    /// Days after which a delivery that could not be sent is given up.
    expires: u64,
    longest_close: String,
    steps: Vec<Step>,
    /// `None` while there is no index.
    waits: Option<Waits>,
}

/// One retry.
struct Step {
    /// Of the attempt.
    number: u64,
    /// How long after the outcome of the attempt before.
    delay: String,
    /// How long after the first attempt, at the earliest.
    since_first: String,
}

pub(super) async fn show(State(pages): State<Pages>, signed: Signed) -> Page {
    let language = signed.language();
    let mut elapsed = Duration::ZERO;
    let delays = pages.shared().schedule.delays();
    let steps: Vec<Step> = (2..)
        .zip(delays)
        .map(|(number, tier)| {
            let delay = tier.delay();
            elapsed += delay;
            Step {
                number,
                delay: language.duration(delay),
                since_first: language.duration(elapsed),
            }
        })
        .collect();
    html(&RetryPolicyPage {
        shell: signed.shell(Section::RetryPolicy),
        timeout: language.duration(pages.shared().tester.timeout()),
        retries: u64::try_from(steps.len()).unwrap_or_default(),
        whole: language.duration(elapsed),
        expires: EXPIRES_AFTER.as_secs() / DAY,
        longest_close: language.duration(LONGEST_CLOSE),
        steps,
        waits: Waits::of(&pages, &signed.by.scope, None).await?,
    })
}
