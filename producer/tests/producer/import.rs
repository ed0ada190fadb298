//! `producer import`, by the built binary.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use kafka::mock;

use crate::harness::{Changes, RATING, cluster, count, environment};

fn import(
    cluster: &mock::Cluster,
    arguments: &[&str],
    stdin: &[u8],
    changes: Changes<'_>,
) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_producer"))
        .arg("import")
        .args(arguments)
        .envs(environment(&cluster.bootstrap_servers(), changes))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    // The process may end before it has read all.
    pipe.write_all(stdin).ok();
    drop(pipe);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn events_from_standard_input_are_published_and_counted() {
    let cluster = cluster();
    let input = format!("{RATING}\n\n").repeat(2_500);
    let output = import(&cluster, &["-", "--account", "shop"], input.as_bytes(), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(
        text(&output.stdout),
        "read 2500, published 2500, refused 0, failed 0\n"
    );
    assert_eq!(count(&cluster), 2500);
}

#[test]
fn a_bad_line_is_told_with_its_number_and_does_not_stop_the_rest() {
    let cluster = cluster();
    let name = format!("producer-import-{}.ndjson", std::process::id());
    let file = std::env::temp_dir().join(name);
    let mut input = format!("{RATING}\n\n{}\n", RATING.replace("4,", "6,")).into_bytes();
    input.extend_from_slice(b"\xff\n");
    input.extend_from_slice(&vec![b'x'; 3_000_000]);
    input.extend_from_slice(b"\n{\n");
    input.extend_from_slice(RATING.as_bytes());
    std::fs::write(&file, input).unwrap();
    let path = file.to_str().unwrap();
    let output = import(&cluster, &[path, "--account", "shop"], b"", &[]);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stdout),
        "read 6, published 2, refused 4, failed 0\n"
    );
    let stderr = text(&output.stderr);
    for told in [
        "line 3: $.data.score: found 6, allowed is a whole number from 1 to 5\n",
        "line 4: not UTF-8: ",
        "line 5: the line is 3000000 bytes long",
        "line 6: not JSON: EOF while parsing an object at column 1\n",
    ] {
        assert!(stderr.contains(told), "{told} is not in {stderr}");
    }
    assert_eq!(count(&cluster), 2);
}

#[test]
fn a_file_that_is_not_there_and_a_wrong_account_are_told() {
    let cluster = cluster();
    let output = import(&cluster, &["no-such-file", "--account", "shop"], b"", &[]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("no-such-file cannot be read"), "{stderr}");
    let output = import(&cluster, &["-", "--account", "a/b"], b"", &[]);
    assert_eq!(output.status.code(), Some(2));
    let output = import(&cluster, &["-"], b"", &[]);
    assert!(text(&output.stderr).contains("--account"));
}

#[test]
fn a_topic_that_is_missing_and_may_not_be_made_ends_with_64() {
    let cluster = cluster();
    let changes = [("topics.names.events", "other.events")];
    let output = import(&cluster, &["-", "--account", "shop"], b"", &changes);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{stderr}");
    assert!(stderr.contains("other.events"), "{stderr}");
}
