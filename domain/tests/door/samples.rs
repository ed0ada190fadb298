//! The sample file that the quickstart and the walk-through import.

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
};

use domain::{Envelope, EventId, EventKind, Submission, Timestamp};

#[test]
fn every_line_of_the_sample_file_is_an_event_and_all_four_kinds_are_there() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../quickstart/samples/events.ndjson");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut kinds: BTreeMap<EventKind, usize> = BTreeMap::new();
    let mut lines = HashSet::new();
    for (number, line) in (1..).zip(text.lines()) {
        assert!(lines.insert(line), "line {number} stands twice");
        let submission = Submission::parse(line.as_bytes())
            .unwrap_or_else(|error| panic!("line {number}: {error}"));
        let timestamp = submission.timestamp.unwrap_or_else(Timestamp::now);
        let envelope = Envelope::new(EventId::generate(), timestamp, submission.data);
        envelope
            .to_bytes()
            .unwrap_or_else(|error| panic!("line {number}: {error}"));
        *kinds.entry(envelope.data().kind()).or_default() += 1;
    }
    assert!(lines.len() >= 200, "{} events", lines.len());
    for kind in EventKind::ALL {
        assert!(kinds.get(&kind) >= Some(&20), "{kinds:?}");
    }
}
