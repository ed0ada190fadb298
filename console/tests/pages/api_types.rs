//! The types of the API, as the portal shows them.

use super::fixture::{Console, SHOP, cluster};
use super::visitor::{Visitor, on_loopback};

#[tokio::test]
async fn a_field_is_required_of_who_sends_it_alone() {
    let cluster = cluster();
    let console = Console::start(on_loopback(&cluster.bootstrap_servers())).await;
    let mut shop = Visitor::signed_in(&console, SHOP).await;
    for (language, required) in [("en", ">required<"), ("de", ">Pflicht<")] {
        shop.language = language;
        shop.get("/api/types/NewEndpoint").await.has(required);
        // A part of what is sent.
        shop.get("/api/types/Condition").await.has(required);
        shop.get("/api/types/Delivery").await.has_not(required);
    }
}
