//! Send a test event to an endpoint: choose, see what will go out, send, and see
//! how it ended.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use domain::{EndpointId, EventKind};

use super::test_result::{Preview, Tested};
use super::words;
use super::{name, page_of};
use crate::endpoints::{Refusal, Wrong};
use crate::test_event::Wish;
use crate::web::{Form, Named, Page, Pages, Query, Section, Shell, Signed, filters, html};

#[derive(Template)]
#[template(path = "endpoint_test.html")]
struct TestPage {
    shell: Shell,
    id: String,
    name: String,
    url: String,
    event: EventKind,
    preview: Option<Preview>,
    /// Why nothing can be sent there now.
    refused: Option<String>,
    tested: Option<Tested>,
}

pub(in crate::pages) async fn test(
    State(pages): State<Pages>,
    signed: Signed,
    Named(id): Named,
    Query(query): Query,
) -> Page {
    let page = page(&pages, &signed, id, query.text("event")).await?;
    html(&page)
}

pub(in crate::pages) async fn send_test(
    State(pages): State<Pages>,
    signed: Signed,
    Named(id): Named,
    form: Form,
) -> Page {
    let mut page = page(&pages, &signed, id, form.text("event")).await?;
    let wish = wish(page.event);
    let registry = pages.registry()?;
    let tester = &pages.shared().tester;
    match tester.send(registry, &signed.by.scope, id, wish).await {
        Ok(result) => {
            page.tested = Some(Tested::of(signed.language(), result));
            html(&page)
        }
        Err(Refusal::TooManyTests { limit, retry_after }) => {
            page.refused = Some(page.shell.t.test.too_many(limit, retry_after));
            let mut response = html(&page)?;
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            let seconds = HeaderValue::from(retry_after);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
            Ok(response)
        }
        Err(refusal) => Err(refusal.into()),
    }
}

async fn page(
    pages: &Pages,
    signed: &Signed,
    id: EndpointId,
    event: &str,
) -> Result<TestPage, crate::web::Failure> {
    let registry = pages.registry()?;
    let scope = &signed.by.scope;
    let found = registry.get(scope, id).await?;
    let chosen = found.endpoint.events.first().copied();
    let event = EventKind::parse(event).or(chosen);
    let event = event.unwrap_or(EventKind::NewFeedback);
    let tester = &pages.shared().tester;
    let preview = tester.preview(registry, scope, id, wish(event)).await;
    let shell = signed.shell(Section::Endpoints);
    let (preview, refused) = match preview {
        Ok(request) => (Some(Preview::of(request)), None),
        Err(Refusal::Invalid(mistakes)) => {
            let mistake = mistakes.into_iter().next().map(|mistake| mistake.wrong);
            let why = match mistake {
                Some(Wrong::Refused(refused)) => words::refused(shell.t, &refused),
                Some(_) | None => String::new(),
            };
            (None, Some(why))
        }
        Err(refusal) => return Err(refusal.into()),
    };
    Ok(TestPage {
        shell: shell.back_to(format!("{}/test?event={event}", page_of(id))),
        id: id.to_string(),
        name: name(&found.endpoint),
        url: found.endpoint.url.clone(),
        event,
        preview,
        refused,
        tested: None,
    })
}

fn wish<'a>(event: EventKind) -> Wish<'a> {
    Wish {
        event,
        traceparent: None,
    }
}
