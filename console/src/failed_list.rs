//! dlq-consumer, asked by HTTP for whoever is signed in: the failed list, its
//! bulk jobs, and any delivery again. It decides who may; the console passes on
//! the token of the session and shows what comes back.

mod answers;
mod entries;
mod jobs;

use std::time::Duration;

use domain::DeliveryId;
use domain::record::Coordinates;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

pub(crate) use answers::{Entry, Forecast, Job};
pub(crate) use entries::parameters;

/// It stands beside the console: a connection is there at once, or not.
const CONNECT: Duration = Duration::from_secs(2);
/// A move waits until Kafka has acknowledged it.
const ANSWER: Duration = Duration::from_secs(15);
/// Bytes of an answer at most: dlq-consumer ends a page before its payloads are
/// longer than 8 MiB.
const LONGEST: usize = 16 * 1024 * 1024;

/// dlq-consumer.
#[derive(Debug)]
pub(crate) struct FailedList {
    client: Client,
    url: Url,
}

/// Why it has not done what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotAnswered {
    /// It is not reached, or cannot answer now. Nothing was done.
    Away,
    /// It may have been done, or not.
    MayBeDone,
    /// There is nothing of this name that the token reaches.
    Absent,
    /// Another request moves it, or has moved it.
    MovedMeanwhile,
    /// Kafka does not keep the event any more.
    Expired,
    /// As many jobs run as may.
    TooManyJobs,
    /// The job has ended by itself.
    JobEnded,
    /// It does not know the token: its `auth.tokens` are others. Nothing was done.
    TokenUnknown,
    /// It does not take what the console sends; the log tells.
    Refused,
}

/// The parts of a problem document that are read.
#[derive(Deserialize)]
struct Problem {
    #[serde(rename = "type")]
    kind: String,
    detail: String,
}

impl FailedList {
    pub(crate) fn at(url: Url) -> Self {
        let client = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(ANSWER)
            .build();
        Self {
            client: client.expect("a client without TLS needs nothing"),
            url,
        }
    }

    /// Sends any delivery again, by the place of its event.
    ///
    /// # Errors
    /// See [`NotAnswered`].
    pub(crate) async fn resend_delivery(
        &self,
        token: &str,
        id: DeliveryId,
        place: &Coordinates,
    ) -> Result<(), NotAnswered> {
        let id = id.to_string();
        let path = ["webhooks", "deliveries", &id, "resend"];
        let request = self.request(Method::POST, &path, &[], token)?.json(&json!({
            "topic": place.topic,
            "partition": place.partition,
            "offset": place.offset,
        }));
        done(request).await.map(drop)
    }

    fn request(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
        token: &str,
    ) -> Result<RequestBuilder, NotAnswered> {
        let mut url = self.url.clone();
        if path.iter().any(|part| matches!(*part, "" | "." | "..")) {
            // A URL would lose it, and name something else.
            return Err(NotAnswered::Absent);
        }
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.clear().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(self.client.request(method, url).bearer_auth(token))
    }
}

/// Sends what changes nothing.
async fn asked<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, NotAnswered> {
    let response = request.send().await.map_err(|error| away(&error))?;
    parsed(&read(response, NotAnswered::Away).await?)
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, NotAnswered> {
    serde_json::from_slice(body).map_err(|error| {
        tracing::error!(%error, "an answer of dlq-consumer is not understood");
        NotAnswered::Refused
    })
}

/// Sends what changes something.
async fn done(request: RequestBuilder) -> Result<Vec<u8>, NotAnswered> {
    match request.send().await {
        Ok(response) => read(response, NotAnswered::MayBeDone).await,
        Err(error) if error.is_connect() => Err(away(&error)),
        Err(error) => {
            tracing::warn!(%error, "dlq-consumer has not said whether it did what was asked");
            Err(NotAnswered::MayBeDone)
        }
    }
}

fn away(error: &reqwest::Error) -> NotAnswered {
    tracing::warn!(%error, "dlq-consumer does not answer");
    NotAnswered::Away
}

/// The body of an answer that says yes. `unclear` is what it means when the
/// answer breaks off, or says that Kafka does not take part.
async fn read(mut response: Response, unclear: NotAnswered) -> Result<Vec<u8>, NotAnswered> {
    let status = response.status();
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|error| {
        tracing::warn!(%error, "an answer of dlq-consumer broke off");
        unclear
    })? {
        body.extend_from_slice(&part);
        if body.len() > LONGEST {
            tracing::error!(bytes = LONGEST, "an answer of dlq-consumer is longer");
            return Err(NotAnswered::Refused);
        }
    }
    if status.is_success() {
        Ok(body)
    } else {
        Err(refused(status, &body, unclear))
    }
}

fn refused(status: StatusCode, body: &[u8], unclear: NotAnswered) -> NotAnswered {
    let problem: Option<Problem> = serde_json::from_slice(body).ok();
    let (kind, detail) = problem.map_or_else(Default::default, |it| (it.kind, it.detail));
    let kind = kind.rsplit('/').next().unwrap_or_default();
    match (status, kind) {
        (StatusCode::SERVICE_UNAVAILABLE, "kafka-unavailable") => unclear,
        (StatusCode::SERVICE_UNAVAILABLE, _) => NotAnswered::Away,
        (StatusCode::NOT_FOUND, _) => NotAnswered::Absent,
        (StatusCode::GONE, _) => NotAnswered::Expired,
        (StatusCode::CONFLICT, "not-moved") => NotAnswered::MovedMeanwhile,
        (StatusCode::CONFLICT, "too-many-jobs") => NotAnswered::TooManyJobs,
        (StatusCode::CONFLICT, "job-ended") => NotAnswered::JobEnded,
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => {
            tracing::error!(
                %status, detail,
                "dlq-consumer refuses a token that signs in here: both need the same auth.tokens"
            );
            NotAnswered::TokenUnknown
        }
        (_, _) => {
            tracing::error!(%status, kind, detail, "dlq-consumer refuses what a page asks");
            NotAnswered::Refused
        }
    }
}
