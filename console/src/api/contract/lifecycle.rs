//! `/api/v1/endpoints/{id}/...`: pause, resume, and the secret.

use axum::http::StatusCode;
use delivery::EXAMPLE_SECRET;
use serde_json::json;
use service::contract::{Answer, Content, Operation, Shape};

use super::super::views::SecretView;
use super::ENDPOINTS;
use super::endpoints::{shown, shown_with_secret};

const SECRETS: &str = "Secrets";

pub(in crate::api) fn pause(operation: Operation) -> Operation {
    super::changes(operation)
        .named(ENDPOINTS, "pauseEndpoint", "Pause an endpoint")
        .about("Its deliveries wait, for three days at most; then they are on the failed list.")
        .answers(shown("The endpoint, paused"))
}

pub(in crate::api) fn resume(operation: Operation) -> Operation {
    super::changes(operation)
        .named(ENDPOINTS, "resumeEndpoint", "Resume an endpoint")
        .about("Also after a 410 of the endpoint has disabled it.")
        .answers(shown("The endpoint, enabled"))
}

pub(in crate::api) fn rotate_secret(operation: Operation) -> Operation {
    super::changes(operation)
        .named(SECRETS, "rotateSecret", "Rotate the secret")
        .about(
            "Both secrets sign for 24 hours; after that the new one alone. Deliveries then carry \
             two signatures: comma-separated in `X-FeedbackPro-Signature`, separated by a space \
             in `webhook-signature`.",
        )
        .answers(shown_with_secret("The endpoint, with its new secret"))
}

pub(in crate::api) fn secret(operation: Operation) -> Operation {
    let example = json!({
        "secret": EXAMPLE_SECRET,
        "previous": {"secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
                     "expires_at": "2024-06-16T14:32:00Z"},
    });
    let secrets = Content::json(Shape::written::<SecretView<'_>>()).example("rotated", example);
    super::of_one(operation)
        .named(SECRETS, "revealSecret", "Show the secrets that sign now")
        .about("Stands in the audit, as every change does.")
        .answers(
            Answer::with(StatusCode::OK, "The secrets", secrets)
                .header("Cache-Control", "no-store: the answer holds a secret."),
        )
}
