//! `GET /webhooks/failed/export`: everything that matches, a line each.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::FailedFilter;
use http_body_util::channel::{Channel, Sender};
use service::problem::Problem;
use service::tokens::Role;
use tokio::time::timeout;

use super::{Allowed, Api, Parameters, item, query};
use crate::index::{IndexError, Page, Part, Reader, Scope, Sorted};

/// Exports at once: each holds up to two parts in memory, for as long as its
/// client takes.
pub(super) const AT_ONCE: usize = 8;
/// Seconds after which one may have ended.
const RETRY: u64 = 10;
/// Entries that are read together at most.
const PART: usize = 500;
/// Bytes of their payloads at most.
const PART_BYTES: usize = 1024 * 1024;
/// A client that takes nothing for this long is cut off.
const STALLED: Duration = Duration::from_secs(30);

/// Why an export ends early. The client sees a body that is cut off.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error("the client takes nothing")]
    Stalled,
    #[error("the client has gone")]
    Gone,
}

/// What the body of such an export ends with.
#[derive(Debug, thiserror::Error)]
#[error("the export was cut off")]
struct CutOff;

struct Export {
    reader: Reader,
    scope: Scope,
    filter: FailedFilter,
    role: Role,
}

pub(super) async fn export(
    State(api): State<Api>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let Allowed { caller, scope } = api.allow(&headers)?;
    let Query(parameters) = parameters?;
    let filter = query::filter(&parameters, caller.role)?;
    let list = api.list()?;
    let permit = api.exports.clone().try_acquire_owned();
    let permit = permit.map_err(|_| too_many())?;
    let export = Export {
        reader: list.reader().clone(),
        scope,
        filter,
        role: caller.role,
    };
    let (mut sender, body) = Channel::<Bytes, CutOff>::new(1);
    let trouble = list.moves().trouble.clone();
    list.moves().tasks.spawn(async move {
        let _permit = permit;
        let Err(ended) = export.send(&mut sender).await else {
            return;
        };
        match ended {
            Ended::Gone => tracing::debug!("an export was not taken to its end"),
            Ended::Stalled => tracing::warn!(error = %ended, "an export was cut off"),
            Ended::Index(error) => {
                tracing::error!(%error, "an export was cut off: the index cannot be read");
                if error.is_broken_file() {
                    trouble.report(error);
                }
            }
        }
        sender.abort(CutOff);
    });
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"failed.ndjson\"",
        ),
    ];
    Ok((headers, Body::new(body)).into_response())
}

pub(super) fn too_many() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "too-many-exports",
        format!("{AT_ONCE} exports run already"),
    )
    .retry_after(RETRY)
}

impl Export {
    /// What is on the list when it begins, oldest first, without what leaves it
    /// meanwhile.
    async fn send(&self, sender: &mut Sender<Bytes, CutOff>) -> Result<(), Ended> {
        let now = self.reader.count(self.scope.clone(), self.filter.clone());
        let until = now.await?.end;
        let mut from = 0;
        loop {
            let part = Part {
                sorted: Sorted::OldestFirst,
                from,
                until,
                limit: PART,
                bytes: PART_BYTES,
            };
            let page = self
                .reader
                .page(self.scope.clone(), self.filter.clone(), part)
                .await?;
            let (next, more) = (page.next, page.more);
            if !page.letters.is_empty() {
                let sent = sender.send_data(lines(&page, self.role).into());
                let in_time = timeout(STALLED, sent).await;
                in_time
                    .map_err(|_| Ended::Stalled)?
                    .map_err(|_| Ended::Gone)?;
            }
            if !more {
                return Ok(());
            }
            from = next;
        }
    }
}

fn lines(page: &Page, role: Role) -> Vec<u8> {
    let mut lines = Vec::new();
    for letter in &page.letters {
        serde_json::to_writer(&mut lines, &item::of(letter, role))
            .expect("texts, numbers and checked JSON serialise");
        lines.push(b'\n');
    }
    lines
}
