//! `GET /api/v1/retry-policy`: when failed deliveries are tried again.

use axum::Json;
use axum::extract::State;
use domain::Tier;
use service::settings::duration;

use super::Api;
use super::asker::Asker;
use super::views::RetryPolicyView;

pub(super) async fn show(State(api): State<Api>, _asker: Asker) -> Json<RetryPolicyView> {
    let delays = api.shared.schedule.delays();
    Json(RetryPolicyView {
        schedule: delays.iter().map(Tier::to_string).collect(),
        timeout: duration::text(api.shared.tester.timeout()),
    })
}
