//! `POST /webhooks/deliveries/{id}/resend`: any delivery again, also one that
//! was delivered.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::record::Coordinates;
use domain::{DeliveryId, JobAction};
use kafka::LookupError;
use schemars::JsonSchema;
use serde::Deserialize;
use service::body;
use service::problem::{Problem, ProblemError};

use super::{Allowed, Api, Id, MOVE_RETRY, failed};
use crate::deliveries::NotFound;
use crate::moves::{NotMoved, Order};

/// The names of a topic and two numbers.
pub(super) const MAX_BODY: usize = 4 * 1024;

/// Where the event stands, as the record of an attempt says.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EventPlace")]
pub(super) struct Place {
    /// The topic, by its whole name.
    topic: String,
    /// The partition.
    partition: i32,
    /// The offset.
    offset: i64,
}

/// A delivery that stands on the failed list is moved off it. Any other is
/// read where it stands and sent beside whatever is still under way: the
/// receiver knows it by its `webhook-id`. One whose endpoint was deleted is
/// dropped by the dispatcher, which knows endpoints.
pub(super) async fn resend(
    State(api): State<Api>,
    headers: HeaderMap,
    id: Id,
    body: Body,
) -> Result<Response, Problem> {
    let Allowed { caller, scope } = api.allow(&headers)?;
    let Path(id) = id?;
    let body = body::read(body, MAX_BODY).await?;
    let place: Place = body::json(&body)?;
    let delivery: DeliveryId = id.parse().map_err(|_| absent())?;
    let list = api.list()?;
    let mut order = Order {
        scope,
        token: caller.token_id,
        // As the list writes it.
        id: delivery.to_string(),
        action: JobAction::Resend,
        instead: None,
    };
    let found = list
        .reader()
        .find(order.scope.clone(), order.id.clone())
        .await;
    let is_entry = found.map_err(|error| api.broken(error))?.is_some();
    if !is_entry {
        let place = Coordinates {
            topic: place.topic.into(),
            partition: place.partition,
            offset: place.offset,
        };
        let found = list.deliveries().find(&order.scope, delivery, place).await;
        list.moves().metrics.looked_up(found.as_ref().err());
        order.instead = Some(found.map_err(not_found)?);
    }
    match list.moves().one(order).await {
        Ok(()) => Ok(failed::accepted(&delivery.to_string())),
        Err(NotMoved::NotLive) => Err(failed::not_moved(
            "it has just left the failed list by another request",
        )),
        Err(error) => Err(failed::refused(&api, error)),
    }
}

pub(super) fn absent() -> Problem {
    Problem::not_found(
        "the event of this delivery does not stand there: give topic, partition and offset of \
         one of its attempts",
    )
}

pub(super) fn not_found(error: NotFound) -> Problem {
    match error {
        NotFound::OtherTopic => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid-body",
            "the body is JSON, but not what is allowed here",
        )
        .with_error(
            ProblemError::new("$.topic", error.to_string())
                .allowed("the topic that its attempts name"),
        ),
        NotFound::Absent | NotFound::Lookup(LookupError::Absent) => absent(),
        NotFound::Lookup(LookupError::Expired) => Problem::new(
            StatusCode::GONE,
            "event-expired",
            "Kafka does not keep the event any more: its topic's retention is over",
        ),
        NotFound::Lookup(error @ (LookupError::Busy | LookupError::Unavailable(_))) => {
            tracing::warn!(%error, "an event was not read");
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "kafka-unavailable",
                "the event cannot be read now",
            )
            .retry_after(MOVE_RETRY)
        }
    }
}
