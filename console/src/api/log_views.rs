//! What the API shows of deliveries and their attempts.

use domain::{
    AccountId, AfterAttempt, AttemptRecord, DeliveryId, EndpointId, EventKind, Tier, Timestamp,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::attempts::{
    AtTier, Counts, Delivery, DeliveryState, DeliverySummary, EndpointFigures, Page, Progress,
    Range, Series, Times,
};

/// A delivery as it stands.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DeliverySummary")]
pub(super) struct SummaryView<'a> {
    /// Its id: `<event id>.<endpoint id>`.
    id: DeliveryId,
    /// Whose it is.
    account: &'a AccountId,
    /// Which event.
    event: EventKind,
    /// How it stands.
    state: DeliveryState,
    /// `next`, with `due_at`, `tier` and `reason` where it has them: as in the
    /// records of `webhooks.attempts`.
    #[serde(flatten)]
    after: &'a AfterAttempt,
    /// How many attempts were made.
    attempts: u32,
    /// The status of the last answer, where there was one.
    last_status: Option<u16>,
    /// Why the last attempt failed: `cause: text`.
    last_error: Option<&'a str>,
    /// When its first record was written.
    first_at: Timestamp,
    /// When its last record was written.
    last_at: Timestamp,
}

impl<'a> From<&'a DeliverySummary> for SummaryView<'a> {
    fn from(summary: &'a DeliverySummary) -> Self {
        Self {
            id: summary.id,
            account: &summary.account,
            event: summary.event,
            state: DeliveryState::after(&summary.after),
            after: &summary.after,
            attempts: summary.attempts,
            last_status: summary.last_status,
            last_error: summary.last_error.as_deref(),
            first_at: summary.first_at,
            last_at: summary.last_at,
        }
    }
}

/// A page of deliveries.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DeliveryPage")]
pub(super) struct DeliveriesView<'a> {
    /// The latest first.
    items: Vec<SummaryView<'a>>,
    /// What to give as `cursor` for the next page; `null` on the last one.
    next_cursor: Option<String>,
    /// How much the console knows by now.
    index: Progress,
}

impl<'a> DeliveriesView<'a> {
    pub(super) fn new(page: &'a Page, index: Progress) -> Self {
        Self {
            items: page.deliveries.iter().map(SummaryView::from).collect(),
            next_cursor: page.next.map(|next| next.to_string()),
            index,
        }
    }
}

/// A delivery with its time line.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Delivery")]
pub(super) struct DeliveryView<'a> {
    #[serde(flatten)]
    summary: SummaryView<'a>,
    /// The number of the attempt that comes next; `due_at` says when.
    next_attempt: Option<u32>,
    /// The records of `webhooks.attempts`, the oldest first.
    records: &'a [AttemptRecord],
    /// Whether older records are left out.
    is_cut: bool,
}

impl<'a> From<&'a Delivery> for DeliveryView<'a> {
    fn from(delivery: &'a Delivery) -> Self {
        Self {
            summary: SummaryView::from(&delivery.summary),
            next_attempt: delivery.next_attempt(),
            records: &delivery.records,
            is_cut: delivery.is_cut,
        }
    }
}

/// What happened in some time.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Sum")]
struct SumView {
    /// Attempts that were made.
    attempts: u64,
    #[serde(flatten)]
    counts: Counts,
    /// Which part of them was delivered, from 0 to 1; `null` where there were none.
    success_rate: Option<f64>,
    /// Half of them took no longer, in milliseconds.
    p50_ms: Option<u32>,
    /// 95 of 100 took no longer, in milliseconds.
    p95_ms: Option<u32>,
}

impl SumView {
    fn new(counts: Counts, times: &Times) -> Self {
        Self {
            attempts: counts.attempts(),
            counts,
            success_rate: counts.success_rate(),
            p50_ms: times.percentile(0.5),
            p95_ms: times.percentile(0.95),
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Point")]
struct PointView {
    /// When the step begins.
    start: Timestamp,
    #[serde(flatten)]
    sum: SumView,
}

/// What waits with one tier.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Waiting")]
struct WaitingView {
    /// The delay that they wait for.
    #[schemars(with = "Tier")]
    tier: String,
    /// How many.
    deliveries: u64,
    /// When the next one is due.
    next_due: Timestamp,
}

impl From<&AtTier> for WaitingView {
    fn from(at: &AtTier) -> Self {
        Self {
            tier: Tier::to_string(&at.tier),
            deliveries: at.deliveries,
            next_due: at.next_due,
        }
    }
}

/// A range by its steps, and what waits now.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Statistics")]
pub(super) struct StatisticsView {
    /// How far back.
    range: Range,
    /// How long a step is.
    step_seconds: u64,
    /// All of it.
    total: SumView,
    /// By steps; the last one is going on.
    points: Vec<PointView>,
    /// What waits now.
    waiting: Vec<WaitingView>,
    /// How much the console knows by now.
    index: Progress,
}

impl StatisticsView {
    pub(super) fn new(series: &Series, waiting: &[AtTier], index: Progress) -> Self {
        let points = series.points.iter().map(|point| PointView {
            start: point.start,
            sum: SumView::new(point.counts, &point.times),
        });
        Self {
            range: series.range,
            step_seconds: series.range.step().as_secs(),
            total: SumView::new(series.counts, &series.times),
            points: points.collect(),
            waiting: waiting.iter().map(WaitingView::from).collect(),
            index,
        }
    }
}

/// How an endpoint does.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "EndpointFigures")]
pub(super) struct EndpointFiguresView {
    /// Which one.
    endpoint: EndpointId,
    /// Attempts that were made.
    attempts: u64,
    #[serde(flatten)]
    counts: Counts,
    /// Which part of them was delivered, from 0 to 1; `null` where there were none.
    success_rate: Option<f64>,
    /// Deliveries that wait now.
    waiting: u64,
    /// When the last attempt began.
    last_attempt: Option<Timestamp>,
    /// When the last one that was delivered began.
    last_success: Option<Timestamp>,
    /// Since when every attempt has failed.
    failing_since: Option<Timestamp>,
}

impl From<EndpointFigures> for EndpointFiguresView {
    fn from(figures: EndpointFigures) -> Self {
        Self {
            endpoint: figures.endpoint,
            attempts: figures.counts.attempts(),
            counts: figures.counts,
            success_rate: figures.counts.success_rate(),
            waiting: figures.waiting,
            last_attempt: figures.last_attempt,
            last_success: figures.last_success,
            failing_since: figures.failing_since,
        }
    }
}

/// A page of endpoints' figures.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "EndpointFiguresPage")]
pub(super) struct EndpointsFiguresView {
    /// How far back.
    pub(super) range: Range,
    /// By account, the oldest first.
    pub(super) items: Vec<EndpointFiguresView>,
    /// What to give as `cursor` for the next page; `null` on the last one.
    pub(super) next_cursor: Option<String>,
    /// How much the console knows by now.
    pub(super) index: Progress,
}
