//! Topics: their names, how they must be set up, and the patterns that find them.

use std::{collections::HashSet, time::Duration};

use domain::{Cleanup, Schedule, Topics};
use regex::Regex;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn schedule() -> Schedule {
    Schedule::parse(&["15s", "2m", "10m", "1h", "6h"]).unwrap()
}

#[test]
fn the_names_are_those_of_the_design() {
    let topics = Topics::with_prefix("");
    let names: Vec<String> = topics
        .all_specs(&schedule())
        .into_iter()
        .map(|spec| spec.name)
        .collect();
    assert_eq!(
        names,
        [
            "feedback.events",
            "webhooks.ready",
            "webhooks.resend",
            "webhooks.dead-letter",
            "webhooks.attempts",
            "webhooks.audit",
            "webhooks.jobs",
            "webhooks.endpoints",
            "webhooks.retry.15s",
            "webhooks.retry.2m",
            "webhooks.retry.10m",
            "webhooks.retry.1h",
            "webhooks.retry.6h",
        ]
    );
}

#[test]
fn a_prefix_stands_before_every_name_and_id() {
    let topics = Topics::with_prefix("staging.");
    for spec in topics.all_specs(&schedule()) {
        assert!(spec.name.starts_with("staging."), "{}", spec.name);
    }
    assert_eq!(topics.id("dispatcher"), "staging.dispatcher");
}

#[test]
fn a_name_of_the_settings_replaces_the_default_and_keeps_the_prefix() {
    let topics = Topics::named("eu.", |field| match field {
        "events" => Some("fb.in"),
        "retry" => Some("fb.again"),
        _ => None,
    });
    assert_eq!(topics.events, "eu.fb.in");
    assert_eq!(topics.retry_tier("2m".parse().unwrap()), "eu.fb.again.2m");
    assert_eq!(topics.ready, "eu.webhooks.ready");
}

#[test]
fn each_topic_is_set_up_as_the_table_says() {
    let topics = Topics::with_prefix("");
    for spec in topics.all_specs(&schedule()) {
        let name = spec.name.as_str();
        let (partitions, fixed, cleanup) = match name {
            "feedback.events" => (
                6,
                false,
                Cleanup::Delete {
                    retention: 30 * DAY,
                },
            ),
            "webhooks.ready" => (24, false, Cleanup::Delete { retention: 7 * DAY }),
            "webhooks.audit" => (
                6,
                false,
                Cleanup::Delete {
                    retention: 365 * DAY,
                },
            ),
            "webhooks.dead-letter" => (
                1,
                true,
                Cleanup::Compact {
                    tombstones: Some(7 * DAY),
                },
            ),
            "webhooks.jobs" | "webhooks.endpoints" => {
                (1, true, Cleanup::Compact { tombstones: None })
            }
            _ => (6, false, Cleanup::Delete { retention: 7 * DAY }),
        };
        assert_eq!(spec.partitions, partitions, "{name}");
        assert_eq!(spec.partitions_fixed, fixed, "{name}");
        assert_eq!(spec.cleanup, cleanup, "{name}");
    }
}

#[test]
fn what_carries_a_delivery_takes_larger_records_than_what_carries_the_event() {
    let topics = Topics::with_prefix("");
    let events = topics.events_spec().max_message_bytes;
    let mut deliveries = topics.retry_specs(&schedule());
    deliveries.extend([
        topics.ready_spec(),
        topics.resend_spec(),
        topics.dead_letter_spec(),
    ]);
    for spec in deliveries {
        assert!(spec.max_message_bytes > events, "{}", spec.name);
    }
}

#[test]
fn the_retry_pattern_finds_every_retry_topic_also_of_old_schedules_and_no_other() {
    for prefix in ["", "staging.", "a+b.", "team[1]."] {
        let topics = Topics::with_prefix(prefix);
        let pattern = topics.retry_pattern();
        assert!(pattern.starts_with('^') && pattern.ends_with('$'));
        let retry = Regex::new(&pattern).unwrap();
        for spec in topics.retry_specs(&schedule()) {
            assert!(retry.is_match(&spec.name), "{pattern} {}", spec.name);
        }
        for old in ["250ms", "3s", "90m", "24h"] {
            assert!(retry.is_match(&format!("{prefix}webhooks.retry.{old}")));
        }
        for similar in [
            "webhooks.retry".to_owned(),
            "webhooks.retry.".to_owned(),
            "webhooks.retry.15s.backup".to_owned(),
            "webhooks.retry.s".to_owned(),
            "webhooks.retry.15d".to_owned(),
            "webhooksXretryX15s".to_owned(),
            "other.webhooks.retry.15s".to_owned(),
            "webhooks.ready".to_owned(),
        ] {
            assert!(!retry.is_match(&format!("{prefix}{similar}")), "{similar}");
            assert!(!retry.is_match(&format!("my-{prefix}webhooks.retry.15s")));
        }
    }
}

#[test]
fn a_pattern_for_one_topic_matches_that_topic_alone() {
    let topics = Topics::with_prefix("staging.");
    let names: HashSet<String> = topics
        .all_specs(&schedule())
        .into_iter()
        .map(|spec| spec.name)
        .collect();
    for name in &names {
        let pattern = Regex::new(&Topics::literal_pattern(name)).unwrap();
        let found: Vec<&String> = names.iter().filter(|n| pattern.is_match(n)).collect();
        assert_eq!(found, [name]);
        assert!(!pattern.is_match(&name.replace('.', "-")));
        assert!(!pattern.is_match(&format!("{name}2")));
        assert!(!pattern.is_match(&format!("x{name}")));
    }
}

#[test]
fn the_tier_of_a_retry_topic_is_read_from_its_name() {
    let topics = Topics::with_prefix("staging.");
    let tier = "90m".parse().unwrap();
    assert_eq!(topics.retry_tier(tier), "staging.webhooks.retry.90m");
    assert_eq!(topics.tier_of("staging.webhooks.retry.90m"), Some(tier));
    for other in [
        "webhooks.retry.90m",
        "staging.webhooks.ready",
        "staging.webhooks.retry",
        "staging.webhooks.retry.",
        "staging.webhooks.retry.999h",
        "staging.webhooks.retry-90m",
    ] {
        assert_eq!(topics.tier_of(other), None, "{other}");
    }
}
