//! Which partitions go together. The consumer group shares out the partitions
//! of `feedback.events` alone; whoever has partition p of it has a share of
//! every other topic with it: the partitions whose number leaves p. An assignor
//! balances the sum over its topics and not each of them; this way each topic
//! is spread as evenly as the events are.

use domain::{PARTITIONS, Topics};

/// The topics that a dispatcher reads and their partitions, at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Families {
    /// How many there are. Dispatchers that differ in it would read partitions
    /// twice: those of `feedback.events` beyond the usual number have no others
    /// with them, and a dispatcher keeps the number it found first.
    count: i32,
    /// The topics beside `feedback.events`, with the number of partitions.
    others: Vec<(String, i32)>,
}

impl Families {
    /// From the cluster's topics and how many partitions each has. `None` when
    /// there is no `feedback.events`.
    pub(crate) fn of<'a>(
        topics: &Topics,
        cluster: impl IntoIterator<Item = (&'a str, i32)>,
    ) -> Option<Self> {
        let mut families = Self::default();
        for (topic, partitions) in cluster {
            if topic == topics.events {
                families.count = partitions.min(PARTITIONS);
            } else if topic == topics.ready
                || topic == topics.resend
                || topics.tier_of(topic).is_some()
            {
                families.others.push((topic.to_owned(), partitions));
            }
        }
        (families.count > 0).then_some(families)
    }

    /// As the cluster is now, with the families of before.
    pub(crate) fn look_again(&mut self, now: Self) {
        self.others = now.others;
        if self.count == 0 {
            self.count = now.count;
        }
    }

    /// The family of a partition of any topic but `feedback.events`, where it
    /// is the partition's own number.
    pub(crate) const fn family(&self, partition: i32) -> i32 {
        partition % self.count
    }

    /// The partitions that belong to these of `feedback.events`.
    pub(crate) fn members(&self, of: &[i32]) -> Vec<(&str, i32)> {
        let all = self.others.iter().flat_map(|(topic, partitions)| {
            (0..*partitions).map(|partition| (topic.as_str(), partition))
        });
        all.filter(|(_, partition)| of.contains(&self.family(*partition)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const CLUSTER: [(&str, i32); 6] = [
        ("feedback.events", 6),
        ("webhooks.ready", 24),
        ("webhooks.resend", 6),
        ("webhooks.retry.15s", 6),
        ("webhooks.retry.2m", 3),
        ("webhooks.attempts", 6),
    ];

    fn families(cluster: &[(&str, i32)]) -> Families {
        let topics = Topics::with_prefix("");
        Families::of(&topics, cluster.iter().copied()).unwrap()
    }

    #[test]
    fn every_partition_belongs_to_one_family_and_each_topic_is_spread_evenly() {
        let families = families(&CLUSTER);
        let mut seen = BTreeSet::new();
        for family in 0..6 {
            let members = families.members(&[family]);
            let ready = members
                .iter()
                .filter(|(topic, _)| *topic == "webhooks.ready");
            assert_eq!(ready.count(), 4);
            for member in members {
                assert!(seen.insert(member), "{member:?} belongs to two");
            }
        }
        assert_eq!(seen.len(), 24 + 6 + 6 + 3);
        assert!(seen.iter().all(|(topic, _)| *topic != "webhooks.attempts"));
    }

    #[test]
    fn more_partitions_of_events_change_no_family() {
        let mut larger = CLUSTER;
        larger[0].1 = 12;
        for family in 0..6 {
            let members = families(&CLUSTER);
            let later = families(&larger);
            assert_eq!(members.members(&[family]), later.members(&[family]));
        }
        assert!(families(&larger).members(&[6, 11]).is_empty());
    }

    #[test]
    fn fewer_partitions_of_events_leave_none_of_the_others_out() {
        let mut smaller = CLUSTER;
        smaller[0].1 = 2;
        assert_eq!(families(&smaller).members(&[0, 1]).len(), 24 + 6 + 6 + 3);
    }

    #[test]
    fn without_events_there_are_no_families() {
        assert_eq!(
            Families::of(&Topics::with_prefix(""), [("webhooks.ready", 24)]),
            None
        );
    }
}
