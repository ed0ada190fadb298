//! `/api/v1/retry-policy`.

use axum::http::StatusCode;
use serde_json::json;
use service::contract::{Answer, Content, Operation, Shape};

use super::super::views::RetryPolicyView;

pub(in crate::api) fn show(operation: Operation) -> Operation {
    let policy = Content::json(Shape::written::<RetryPolicyView>()).example(
        "default",
        json!({"schedule": ["15s", "2m", "10m", "1h", "6h"], "timeout": "5s"}),
    );
    super::for_account_or_operator(operation)
        .named("Retry policy", "showRetryPolicy", "Show the retry policy")
        .about("After the last retry a delivery is on the failed list.")
        .answers(Answer::with(StatusCode::OK, "The policy in force", policy))
}
