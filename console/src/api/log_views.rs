//! What the API shows of deliveries and their attempts.

use domain::{
    AccountId, AfterAttempt, AttemptRecord, DeliveryId, EndpointId, EventKind, Tier, Timestamp,
};
use serde::Serialize;

use crate::attempts::{
    AtTier, Counts, Delivery, DeliveryState, DeliverySummary, EndpointFigures, Page, Progress,
    Range, Series, Times,
};

/// A delivery as it stands.
#[derive(Debug, Serialize)]
pub(super) struct SummaryView<'a> {
    id: DeliveryId,
    account: &'a AccountId,
    event: EventKind,
    state: DeliveryState,
    /// `next`, with `due_at`, `tier` and `reason` where it has them: as in the
    /// records of `webhooks.attempts`.
    #[serde(flatten)]
    after: &'a AfterAttempt,
    attempts: u32,
    last_status: Option<u16>,
    last_error: Option<&'a str>,
    first_at: Timestamp,
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
#[derive(Debug, Serialize)]
pub(super) struct DeliveriesView<'a> {
    items: Vec<SummaryView<'a>>,
    /// `null` on the last page.
    next_cursor: Option<String>,
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
#[derive(Debug, Serialize)]
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
#[derive(Debug, Serialize)]
struct SumView {
    attempts: u64,
    #[serde(flatten)]
    counts: Counts,
    success_rate: Option<f64>,
    p50_ms: Option<u32>,
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

#[derive(Debug, Serialize)]
struct PointView {
    start: Timestamp,
    #[serde(flatten)]
    sum: SumView,
}

/// What waits with one tier.
#[derive(Debug, Serialize)]
struct WaitingView {
    tier: String,
    deliveries: u64,
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
#[derive(Debug, Serialize)]
pub(super) struct StatisticsView {
    range: Range,
    step_seconds: u64,
    total: SumView,
    points: Vec<PointView>,
    waiting: Vec<WaitingView>,
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
#[derive(Debug, Serialize)]
pub(super) struct EndpointFiguresView {
    endpoint: EndpointId,
    attempts: u64,
    #[serde(flatten)]
    counts: Counts,
    success_rate: Option<f64>,
    waiting: u64,
    last_attempt: Option<Timestamp>,
    last_success: Option<Timestamp>,
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
#[derive(Debug, Serialize)]
pub(super) struct EndpointsFiguresView {
    pub(super) range: Range,
    pub(super) items: Vec<EndpointFiguresView>,
    /// `null` on the last page.
    pub(super) next_cursor: Option<String>,
    pub(super) index: Progress,
}
