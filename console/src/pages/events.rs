//! The event catalogue: what each event tells, what it carries, an example and its
//! schema.

use askama::Template;
use domain::{DataField, Envelope, EventData, EventKind, Timestamp};
use serde_json::Value;

use crate::web::{JsonView, Messages, Page, Section, Shell, Signed, filters, html};

/// The example's id: as long as a real one.
const EXAMPLE_ID: &str = "evt_0190bf5ce3807a6b9d2c8f3a2c91e047";
/// The example's moment, that of the product page: 2024-06-15T14:32:00Z.
const EXAMPLE_AT: i64 = 1_718_461_920_000;

#[derive(Template)]
#[template(path = "events.html")]
struct EventsPage {
    shell: Shell,
    events: Vec<Event>,
}

struct Event {
    kind: EventKind,
    fields: Vec<Field>,
    example: JsonView,
    schema: &'static str,
}

struct Field {
    name: &'static str,
    /// `string`, `integer`.
    kind: String,
    nullable: bool,
    text: &'static str,
}

pub(super) async fn show(signed: Signed) -> Page {
    let shell = signed.shell(Section::Events);
    let events = EventKind::ALL.map(|kind| Event::of(kind, shell.t));
    html(&EventsPage {
        events: events.into(),
        shell,
    })
}

impl Event {
    fn of(kind: EventKind, t: &'static Messages) -> Self {
        let schema = schema(kind);
        let parsed: Value = serde_json::from_str(schema).unwrap_or_default();
        let fields = parsed["properties"]["data"]["properties"].clone();
        let id = EXAMPLE_ID.parse().expect("the example's id is one");
        let at = Timestamp::from_millis(EXAMPLE_AT);
        let example = Envelope::new(id, at, EventData::example(kind)).to_bytes();
        let example = example.unwrap_or_default();
        Self {
            kind,
            fields: DataField::ALL
                .into_iter()
                .filter(|field| field.is_carried_by(kind))
                .map(|field| Field::of(field, &fields[field.as_str()]["type"], t))
                .collect(),
            example: JsonView::of(String::from_utf8_lossy(&example)),
            schema,
        }
    }
}

impl Field {
    fn of(field: DataField, kind: &Value, t: &'static Messages) -> Self {
        // One, or a list of them.
        let kinds = kind
            .as_array()
            .map_or_else(|| std::slice::from_ref(kind), Vec::as_slice);
        let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
        let t = &t.field;
        Self {
            name: field.as_str(),
            nullable: kinds.contains(&"null"),
            kind: kinds
                .into_iter()
                .filter(|kind| *kind != "null")
                .collect::<Vec<_>>()
                .join(", "),
            text: match field {
                DataField::Score => t.score,
                DataField::Segment => t.segment,
                DataField::ProductSku => t.product_sku,
                DataField::Comment => t.comment,
                DataField::BrowserLocale => t.browser_locale,
                DataField::SessionDurationSeconds => t.session_duration_seconds,
                DataField::SessionPage => t.session_page,
                DataField::ResponseId => t.response_id,
                DataField::CustomerId => t.customer_id,
                DataField::Email => t.email,
            },
        }
    }
}

/// The generated JSON Schema of the delivered event.
const fn schema(kind: EventKind) -> &'static str {
    match kind {
        EventKind::NewFeedback => include_str!("../../../api/schemas/new_feedback.schema.json"),
        EventKind::RatingSubmitted => {
            include_str!("../../../api/schemas/rating_submitted.schema.json")
        }
        EventKind::NpsCalculated => {
            include_str!("../../../api/schemas/nps_calculated.schema.json")
        }
        EventKind::WidgetDismissed => {
            include_str!("../../../api/schemas/widget_dismissed.schema.json")
        }
    }
}
