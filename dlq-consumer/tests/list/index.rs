use std::path::Path;

use domain::EndpointId;
use reqwest::Method;

use crate::bed::{Bed, change_index, failure, ids};

/// Three entries; the first was seen, and the list has stopped.
async fn stopped_with_a_cursor(bed: &Bed) -> (Vec<String>, String) {
    let mut written = Vec::new();
    for at in 0..3 {
        let failed = failure(EndpointId::generate(), at);
        bed.write(&failed).await;
        written.push(failed.id().to_string());
    }
    let list = bed.start().await;
    let (items, cursor) = list.page("limit=1").await;
    assert_eq!(ids(&items), written[..1]);
    list.stop().await;
    (written, cursor)
}

async fn goes_on_after_a_restart(bed: &Bed, written: &[String], cursor: &str) {
    let list = bed.start().await;
    assert_eq!(list.ids("").await, written);
    assert_eq!(list.ids(&format!("cursor={cursor}")).await, written[1..]);
    list.stop().await;
}

/// Overwrites what the start does not read.
fn break_bodies(index: &Path) {
    let connection = rusqlite::Connection::open(index).unwrap();
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let page = number("SELECT rootpage FROM sqlite_schema WHERE name = 'bodies'").unwrap();
    let size = number("PRAGMA page_size").unwrap();
    drop(connection);
    let (page, size) = (
        usize::try_from(page).unwrap(),
        usize::try_from(size).unwrap(),
    );
    let mut bytes = std::fs::read(index).unwrap();
    bytes[(page - 1) * size..page * size].fill(0xff);
    std::fs::write(index, bytes).unwrap();
}

/// A row is missing in the file: only an index made anew shows it.
const LOSE_A_ROW: &str = "DELETE FROM failures WHERE log_offset = 2;";

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_index_is_rebuilt_and_a_kept_cursor_goes_on() {
    let bed = Bed::new();
    let (written, cursor) = stopped_with_a_cursor(&bed).await;

    std::fs::remove_file(&bed.index).unwrap();

    goes_on_after_a_restart(&bed, &written, &cursor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_index_is_rebuilt() {
    let bed = Bed::new();
    let (written, cursor) = stopped_with_a_cursor(&bed).await;

    std::fs::write(&bed.index, "this was an index").unwrap();

    goes_on_after_a_restart(&bed, &written, &cursor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_found_broken_later_ends_the_process_and_the_next_start_rebuilds_it() {
    let bed = Bed::new();
    let (written, cursor) = stopped_with_a_cursor(&bed).await;
    break_bodies(&bed.index);
    let list = bed.start().await;

    let reply = list.call(Method::GET, "/webhooks/failed", "shop").await;
    assert_eq!(reply.status, 500, "{reply:?}");
    let error = list.ended().await.unwrap_err();

    assert!(matches!(error, dlq_consumer::RunError::Index(_)), "{error}");
    goes_on_after_a_restart(&bed, &written, &cursor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_another_version_topic_or_cluster_is_rebuilt() {
    let bed = Bed::new();
    let (written, cursor) = stopped_with_a_cursor(&bed).await;
    for other in [
        "PRAGMA user_version = 999;",
        "UPDATE origin SET topic = 'staging.webhooks.dead-letter';",
        "UPDATE origin SET cluster = 'another';",
    ] {
        change_index(&bed.index, LOSE_A_ROW);
        change_index(&bed.index, other);

        goes_on_after_a_restart(&bed, &written, &cursor).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_is_gone_on_with_unless_tombstones_may_have_been_missed() {
    let bed = Bed::new();
    let (written, cursor) = stopped_with_a_cursor(&bed).await;
    change_index(&bed.index, LOSE_A_ROW);

    // Nothing is read again that the index knows: the lost row stays lost.
    let list = bed.start().await;
    assert_eq!(list.ids("").await, written[..2]);
    list.stop().await;

    let seven_days = "UPDATE origin SET current_at = current_at - 7 * 24 * 3600 * 1000;";
    change_index(&bed.index, seven_days);
    goes_on_after_a_restart(&bed, &written, &cursor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_beyond_the_end_of_the_topic_is_rebuilt() {
    let bed = Bed::new();
    let (written, cursor) = stopped_with_a_cursor(&bed).await;
    change_index(&bed.index, LOSE_A_ROW);
    change_index(&bed.index, "UPDATE positions SET next_offset = 1000;");

    goes_on_after_a_restart(&bed, &written, &cursor).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_does_not_share_the_index() {
    let bed = Bed::new();
    let list = bed.start().await;

    let error = bed.spawn().await.ended().await.unwrap_err();

    assert!(matches!(error, dlq_consumer::RunError::Settings(_)));
    let text = error.to_string();
    assert!(text.starts_with("index.path: "), "{text}");
    assert!(text.contains("in use by another process"), "{text}");
    list.stop().await;
}
