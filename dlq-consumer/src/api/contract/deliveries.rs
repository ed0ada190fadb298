//! `/webhooks/deliveries/{id}/resend`.

use domain::DeliveryId;
use kafka::LookupError;
use serde_json::json;
use service::contract::{Content, Operation, Shape};

use super::super::deliveries::{MAX_BODY, Place, absent, not_found};
use super::super::failed::under_way;
use super::failed::resent;
use super::{DELIVERY, DELIVERY_ID};
use crate::deliveries::NotFound;

pub(in crate::api) fn resend(operation: Operation) -> Operation {
    let place = json!({"topic": "feedback.events", "partition": 3, "offset": 90210});
    let body = Content::json(Shape::read::<Place>()).example("place", place);
    let what = "The delivery's id: `<event id>.<endpoint id>`.";
    super::moves(super::of_one::<DeliveryId>(
        operation,
        what,
        DELIVERY,
        DELIVERY_ID,
    ))
    .named("Deliveries", "resendDelivery", "Send any delivery again")
    .about(
        "Also one that arrived. The body says where its event stands, as its attempt records \
         (`webhooks.attempts`) do. The receiver knows it by its `webhook-id`. One on the \
         failed list is moved off it; one whose endpoint was deleted goes on it.",
    )
    .json_body(MAX_BODY, body)
    .answers(resent())
    .refuses(absent())
    .refuses(not_found(NotFound::OtherTopic))
    .refuses(not_found(NotFound::Lookup(LookupError::Expired)))
    .refuses(under_way())
}
