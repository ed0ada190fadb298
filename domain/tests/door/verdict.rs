//! The table "what an attempt's outcome does" of the design, row by row.

use std::time::Duration;

use domain::{Cause, DeadLetterReason, LimitChange, Next, Outcome, Schedule, Verdict, judge};

fn schedule() -> Schedule {
    Schedule::parse(&["15s", "2m", "10m", "1h", "6h"]).unwrap()
}

fn answered(status: u16) -> Outcome {
    Outcome::Answered {
        status,
        retry_after: None,
    }
}

fn answered_with_retry_after(status: u16, seconds: u64) -> Outcome {
    Outcome::Answered {
        status,
        retry_after: Some(Duration::from_secs(seconds)),
    }
}

fn retry(tier: &str, limit: LimitChange) -> Verdict {
    Verdict {
        next: Next::Retry(tier.parse().unwrap()),
        limit,
        disable: false,
    }
}

fn closed(seconds: u64) -> LimitChange {
    LimitChange::HalveAndClose(Duration::from_secs(seconds))
}

#[test]
fn row_2xx_is_delivered_and_the_limit_rises() {
    for status in 200..=299 {
        for attempt in 1..=6 {
            assert_eq!(
                judge(answered(status), attempt, &schedule()),
                Verdict {
                    next: Next::Delivered,
                    limit: LimitChange::Rise,
                    disable: false
                },
                "{status}"
            );
        }
    }
}

#[test]
fn row_429_502_503_504_is_retried_and_closes_the_endpoint_for_a_second() {
    for status in [429, 502, 503, 504] {
        assert_eq!(
            judge(answered(status), 1, &schedule()),
            retry("15s", closed(1)),
            "{status}"
        );
    }
}

#[test]
fn row_429_502_503_504_closes_the_endpoint_for_retry_after_but_at_most_an_hour() {
    for status in [429, 502, 503, 504] {
        for (retry_after, tier, close) in [
            (0, "15s", 0),
            (7, "15s", 7),
            (16, "2m", 16),
            (3_600, "1h", 3_600),
            (3_601, "6h", 3_600),
            (1_000_000, "6h", 3_600),
        ] {
            assert_eq!(
                judge(
                    answered_with_retry_after(status, retry_after),
                    1,
                    &schedule()
                ),
                retry(tier, closed(close)),
                "{status} with Retry-After {retry_after}"
            );
        }
    }
}

#[test]
fn row_other_1xx_3xx_4xx_5xx_is_retried_and_the_limit_stays() {
    let special = [410, 429, 502, 503, 504];
    for status in (100..=199).chain(300..=599) {
        if !special.contains(&status) {
            assert_eq!(
                judge(answered(status), 1, &schedule()),
                retry("15s", LimitChange::Same),
                "{status}"
            );
        }
    }
    assert_eq!(
        judge(answered_with_retry_after(500, 100), 1, &schedule()),
        retry("2m", LimitChange::Same),
        "Retry-After counts here too, without closing"
    );
}

#[test]
fn row_410_is_a_dead_letter_and_disables_the_endpoint() {
    for attempt in 1..=6 {
        assert_eq!(
            judge(answered_with_retry_after(410, 60), attempt, &schedule()),
            Verdict {
                next: Next::DeadLetter(DeadLetterReason::EndpointGone),
                limit: LimitChange::Same,
                disable: true
            }
        );
    }
}

#[test]
fn row_time_out_dns_connect_tls_is_retried_and_the_limit_halves() {
    for cause in [
        Cause::Timeout,
        Cause::Dns,
        Cause::Connect,
        Cause::Tls,
        Cause::Protocol,
    ] {
        assert_eq!(
            judge(Outcome::Failed(cause), 2, &schedule()),
            retry("2m", LimitChange::Halve),
            "{cause:?}"
        );
    }
}

#[test]
fn row_forbidden_address_is_retried_and_the_limit_stays() {
    assert_eq!(
        judge(Outcome::Failed(Cause::ForbiddenAddress), 3, &schedule()),
        retry("10m", LimitChange::Same)
    );
}

#[test]
fn row_the_last_retry_failed_is_a_dead_letter_whatever_the_failure() {
    for (outcome, limit) in [
        (answered(500), LimitChange::Same),
        (answered(301), LimitChange::Same),
        (answered_with_retry_after(503, 9), closed(9)),
        (Outcome::Failed(Cause::Timeout), LimitChange::Halve),
        (Outcome::Failed(Cause::ForbiddenAddress), LimitChange::Same),
    ] {
        for (attempt, exhausted) in [(5, false), (6, true), (7, true)] {
            let verdict = judge(outcome, attempt, &schedule());
            assert_eq!(
                verdict.next == Next::DeadLetter(DeadLetterReason::AttemptsExhausted),
                exhausted,
                "{outcome:?} at attempt {attempt}"
            );
            assert_eq!(verdict.limit, limit);
            assert!(!verdict.disable);
        }
    }
}

#[test]
fn an_outcome_knows_its_status_and_cause() {
    assert!(answered(204).is_success());
    assert_eq!(
        (answered(204).status(), answered(204).cause()),
        (Some(204), None)
    );
    assert!(!answered(307).is_success());
    assert_eq!(answered(307).cause(), Some(Cause::Status));
    let failed = Outcome::Failed(Cause::Tls);
    assert_eq!((failed.status(), failed.cause()), (None, Some(Cause::Tls)));
    for cause in Cause::ALL {
        assert_eq!(Cause::parse(cause.as_str()), Some(cause));
    }
}

#[test]
fn the_words_for_reasons_are_those_of_the_records() {
    let words = DeadLetterReason::ALL.map(DeadLetterReason::as_str);
    assert_eq!(
        words,
        [
            "attempts_exhausted",
            "endpoint_gone",
            "endpoint_disabled",
            "endpoint_deleted",
            "expired",
            "undecodable"
        ]
    );
    for reason in DeadLetterReason::ALL {
        assert_eq!(DeadLetterReason::parse(reason.as_str()), Some(reason));
        let json = serde_json::to_string(&reason).unwrap();
        assert_eq!(json, format!("\"{}\"", reason.as_str()));
    }
}
