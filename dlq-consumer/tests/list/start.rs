use domain::EndpointId;
use reqwest::Method;

use crate::bed::{Bed, failure, until};

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_a_broker_that_is_down_at_the_start() {
    let bed = Bed::new();
    bed.write(&failure(EndpointId::generate(), 1)).await;
    bed.cluster.broker_down(1).unwrap();
    let list = bed.spawn().await;
    until("the ports answer", async || {
        list.admin("/livez").await.0 == 200
    })
    .await;

    let reply = list.call(Method::GET, "/webhooks/failed", "shop").await;
    let (ready, missing) = list.admin("/readyz").await;

    assert_eq!(
        (reply.status, reply.kind.as_str()),
        (503, "application/problem+json")
    );
    assert_eq!(ready, 503);
    assert!(
        missing.contains("failed list and jobs read to their ends"),
        "{missing}"
    );

    bed.cluster.broker_up(1).unwrap();
    list.ready().await;
    list.has(1).await;
    list.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_while_it_waits_for_a_broker() {
    let bed = Bed::new();
    bed.cluster.broker_down(1).unwrap();
    let list = bed.spawn().await;
    until("the ports answer", async || {
        list.admin("/livez").await.0 == 200
    })
    .await;

    list.stop().await;
}
