//! Pages as whoever is signed in asks for them, and how long each takes.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use domain::{DeliveryId, EndpointId};
use e2e::client::send;
use e2e::{Binary, Client, Reply};
use indicatif::ProgressBar;
use reqwest::Method;

use crate::percentiles::{Sample, milliseconds};

/// What the pages are about.
pub(super) struct Subjects {
    pub(super) endpoint: EndpointId,
    pub(super) delivery: DeliveryId,
    /// An entry of the failed list.
    pub(super) failed: String,
}

impl Subjects {
    /// Names and paths of all pages that show what the index, the failed list or
    /// the endpoints hold; and what programs ask instead.
    pub(super) fn pages(&self) -> Vec<(&'static str, String)> {
        let Self {
            endpoint,
            delivery,
            failed,
        } = self;
        let event = delivery.event;
        let page = |name, path: &str| (name, path.to_owned());
        vec![
            page("overview, an hour", "/overview"),
            page("overview, a day", "/overview?range=24h"),
            page("overview, seven days", "/overview?range=7d"),
            (
                "overview of an endpoint, seven days",
                format!("/overview?range=7d&endpoint={endpoint}"),
            ),
            page("endpoints", "/endpoints"),
            page("endpoints, searched", "/endpoints?q=hook/99&state=enabled"),
            ("an endpoint", format!("/endpoints/{endpoint}")),
            page("deliveries", "/deliveries"),
            page("deliveries, delivered", "/deliveries?state=delivered"),
            page("deliveries, waiting", "/deliveries?state=waiting"),
            page("deliveries, failed", "/deliveries?state=failed"),
            page("deliveries, of a kind", "/deliveries?event=nps_calculated"),
            (
                "deliveries, of an endpoint",
                format!("/deliveries?endpoint={endpoint}"),
            ),
            (
                "deliveries, failed, of an endpoint and a kind",
                format!("/deliveries?endpoint={endpoint}&state=failed&event=new_feedback"),
            ),
            ("deliveries, of an event", format!("/deliveries?id={event}")),
            (
                "deliveries, failed, of two days",
                format!(
                    "/deliveries?state=failed&since={}&until={}",
                    hours_ago(72),
                    hours_ago(24)
                ),
            ),
            ("a delivery", format!("/deliveries/{delivery}")),
            (
                "a delivery, its payload from Kafka",
                format!("/deliveries/{delivery}?show=payload"),
            ),
            page("failed", "/failed"),
            page("failed, of a reason", "/failed?reason=expired"),
            page("failed, of a kind", "/failed?event=nps_calculated"),
            (
                "failed, of an endpoint",
                format!("/failed?endpoint={endpoint}"),
            ),
            (
                "failed, of the last hour",
                format!("/failed?since={}", hours_ago(1)),
            ),
            page("failed, none matches", "/failed?until=2024-01-01T00:00"),
            ("a failed delivery", format!("/failed/{failed}")),
            page("retry policy", "/settings/retry"),
            page("audit log", "/settings/audit"),
            page(
                "JSON: statistics, seven days",
                "/api/v1/statistics?range=7d",
            ),
            page(
                "JSON: 100 endpoints, seven days",
                "/api/v1/statistics/endpoints?range=7d&limit=100",
            ),
            page("JSON: deliveries", "/api/v1/deliveries?limit=100"),
            ("JSON: a delivery", format!("/api/v1/deliveries/{delivery}")),
        ]
    }
}

fn hours_ago(hours: i64) -> String {
    let now = domain::Timestamp::now().millis();
    let then = domain::Timestamp::from_millis(now - hours * 3_600_000);
    then.to_string().chars().take(16).collect()
}

/// Somebody with a session of the pages, and a token for the API.
pub(super) struct Visitor {
    client: Client,
    cookie: String,
}

impl Visitor {
    /// `token` is of letters, digits and hyphens.
    pub(super) async fn signed_in(client: &Client, token: &str) -> anyhow::Result<Self> {
        let client = client.with_token(token);
        let request = client.with_token("");
        let request = request.request(Binary::Console, Method::POST, "/sign-in");
        let request = request
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("token={token}"));
        let answer = send(request).await.expect(303);
        let cookie = answer.header("set-cookie").split(';').next();
        let cookie = cookie.context("no session was begun")?.to_owned();
        Ok(Self { client, cookie })
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        let request = self.client.request(Binary::Console, Method::GET, path);
        send(request.header("cookie", &self.cookie)).await
    }

    /// The path of the page of the list behind `path` that is so many pages on.
    pub(super) async fn far_down(&self, path: &str, pages: usize) -> anyhow::Result<String> {
        let (list, _) = path.split_once('?').unwrap_or((path, ""));
        let mut path = path.to_owned();
        for _ in 0..pages {
            let page = self.get(&path).await.expect(200).text();
            let next = page.split_once("rel=\"next\" href=\"");
            let (_, next) = next.with_context(|| format!("{path} has no next page"))?;
            let query = next.split('"').next().unwrap_or_default();
            path = format!("{list}{}", query.replace("&#38;", "&"));
        }
        Ok(path)
    }

    /// From the request to the last byte, in milliseconds; and the bytes.
    pub(super) async fn times(
        &self,
        path: &str,
        count: usize,
        bar: &ProgressBar,
    ) -> anyhow::Result<(Sample, usize)> {
        let mut times = Vec::with_capacity(count);
        let mut bytes = 0;
        for _ in 0..count {
            let begun = Instant::now();
            let page = self.get(path).await;
            times.push(milliseconds(begun, Instant::now()));
            ensure!(page.status == 200, "{path}: {}", page.status);
            bytes = page.body.len();
            bar.inc(1);
        }
        Ok((Sample::new(times), bytes))
    }
}
