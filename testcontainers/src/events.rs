//! Events as a shop posts them: `{"event", "data"}`.

use serde_json::{Value, json};

/// An open comment, with umlauts and an emoji.
#[must_use]
pub fn new_feedback(comment: &str) -> Value {
    json!({"event": "new_feedback", "data": {
        "customer_id": "cus_9021", "email": "jürgen@webshop.example", "comment": comment,
        "browser_locale": "de-DE", "session_duration_seconds": 184,
        "session_page": "/produkte/gruener-tee"}})
}

/// A rating of 1 to 5 stars.
#[must_use]
pub fn rating_submitted(score: u8) -> Value {
    json!({"event": "rating_submitted", "data": {
        "customer_id": "cus_9021", "email": "anna.mueller@webshop.de", "score": score,
        "product_sku": "BW-440-RED", "session_page": "/checkout/thank-you"}})
}

/// An answered Net Promoter Score survey.
#[must_use]
pub fn nps_calculated(segment: &str) -> Value {
    json!({"event": "nps_calculated", "data": {
        "customer_id": "cus_77", "email": null, "segment": segment,
        "response_id": "rsp_1", "session_page": "/konto"}})
}

/// A widget closed without an answer.
#[must_use]
pub fn widget_dismissed() -> Value {
    json!({"event": "widget_dismissed", "data": {
        "customer_id": null, "email": null, "product_sku": null,
        "session_duration_seconds": null, "session_page": "/"}})
}

/// One of each of the four.
#[must_use]
pub fn one_of_each() -> Vec<Value> {
    vec![
        new_feedback("Größe passt, danke! 🎉"),
        rating_submitted(4),
        nps_calculated("Promoter"),
        widget_dismissed(),
    ]
}

/// Ratings as NDJSON, one a line; their customers (`cus_<n>`, n from `first`)
/// spread them over the partitions.
#[must_use]
pub fn ratings_ndjson(first: usize, count: usize) -> String {
    let mut lines = String::with_capacity(count * 160);
    for number in first..first + count {
        let mut event = rating_submitted(5);
        event["data"]["customer_id"] = json!(format!("cus_{number}"));
        lines.push_str(&event.to_string());
        lines.push('\n');
    }
    lines
}
