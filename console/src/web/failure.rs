//! What a handler says when it cannot: the words and the page are `frame`'s.

use askama::Template;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::{Context, Errors, Shell};
use crate::actor::NotForAccount;
use crate::attempts::AttemptsError;
use crate::endpoints::{Refusal, Unavailable};
use crate::failed_list::NotAnswered;

/// What handlers return.
pub(crate) type Page = Result<Response, Failure>;

/// Seconds after which a page may be asked for again that found Kafka away.
const RETRY_AFTER: u64 = 5;

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// There is nothing, or nothing that this token reaches.
    NotFound,
    /// The route takes another method.
    MethodNotAllowed,
    /// A form that none of our pages has sent, or of a session that is over.
    Forged,
    /// The account is not the token's.
    OtherAccount,
    /// What was asked for is not understood: a cursor, a filter.
    BadRequest,
    /// Reading the request ended with this status.
    Status(StatusCode),
    /// The table or the audit is still being read.
    Loading,
    /// Kafka has not taken it: nothing was done.
    NotDone,
    /// Kafka may have taken it, or not.
    Unknown,
    /// Done, but not read back yet.
    NotReadBack,
    /// dlq-consumer does not answer, or cannot now.
    ListAway,
    /// dlq-consumer does not know the token.
    ListKnowsOtherTokens,
    /// Another request was quicker with the same delivery.
    MovedMeanwhile,
    /// Kafka does not keep the event any more.
    EventExpired,
    /// As many bulk jobs run as may.
    TooManyJobs,
    /// The settings lack the key of a secret.
    Sealed,
    /// A mistake of ours; the log tells.
    Internal,
}

impl Failure {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Forged | Self::OtherAccount => StatusCode::FORBIDDEN,
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::MovedMeanwhile | Self::TooManyJobs => StatusCode::CONFLICT,
            Self::EventExpired => StatusCode::GONE,
            Self::Status(status) => *status,
            Self::Loading | Self::NotDone | Self::Unknown | Self::NotReadBack | Self::ListAway => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::ListKnowsOtherTokens => StatusCode::BAD_GATEWAY,
            Self::Sealed | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The page.
    pub(crate) fn page(&self, context: &Context) -> Response {
        let status = self.status();
        let problem = context.language().messages();
        let problem = &problem.problem;
        let (title, text) = match self {
            Self::NotFound => (problem.not_found, problem.not_found_text),
            Self::MethodNotAllowed => (problem.method, problem.method_text),
            Self::Forged => (problem.forged, problem.forged_text),
            Self::OtherAccount => (problem.other_account, problem.other_account_text),
            Self::BadRequest | Self::Status(_) => (problem.bad_request, problem.bad_request_text),
            Self::Loading => (problem.loading, problem.loading_text),
            Self::NotDone => (problem.not_done, problem.not_done_text),
            Self::Unknown => (problem.unknown, problem.unknown_text),
            Self::NotReadBack => (problem.not_read_back, problem.not_read_back_text),
            Self::ListAway => (problem.list_away, problem.list_away_text),
            Self::ListKnowsOtherTokens => (problem.other_tokens, problem.other_tokens_text),
            Self::MovedMeanwhile => (problem.moved_meanwhile, problem.moved_meanwhile_text),
            Self::EventExpired => (problem.event_expired, problem.event_expired_text),
            Self::TooManyJobs => (problem.too_many_jobs, problem.too_many_jobs_text),
            Self::Sealed => (problem.sealed, problem.sealed_text),
            Self::Internal => (problem.internal, problem.internal_text),
        };
        let page = ProblemPage {
            shell: context.shell(None),
            code: status.as_u16(),
            title,
            text,
            is_home_of_use: context.is_signed_in(),
        };
        let mut response = match page.render() {
            Ok(html) => (status, Html(html)).into_response(),
            Err(error) => {
                tracing::error!(%error, "the page of a problem cannot be made");
                status.into_response()
            }
        };
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let seconds = HeaderValue::from(RETRY_AFTER);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

/// Leaves the words to `frame`.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::NotFound,
            Refusal::Account(why) => why.into(),
            Refusal::Unavailable(why) => why.into(),
            Refusal::Sealed(error) => {
                tracing::error!(%error, "a signing secret cannot be opened");
                Self::Sealed
            }
            // Pages with forms have words for these themselves.
            Refusal::Invalid(_) | Refusal::VersionDiffers { .. } => Self::BadRequest,
            Refusal::TooMany { .. } => Self::Status(StatusCode::CONFLICT),
            Refusal::TooManyTests { .. } => Self::Status(StatusCode::TOO_MANY_REQUESTS),
        }
    }
}

impl From<NotForAccount> for Failure {
    fn from(why: NotForAccount) -> Self {
        match why {
            NotForAccount::OutOfReach { .. } => Self::OtherAccount,
            NotForAccount::Unnamed => Self::BadRequest,
        }
    }
}

impl From<AttemptsError> for Failure {
    fn from(error: AttemptsError) -> Self {
        match error {
            AttemptsError::Away => Self::Loading,
            AttemptsError::Index(error) => {
                tracing::error!(%error, "the index of attempts was not read");
                Self::Internal
            }
        }
    }
}

impl From<NotAnswered> for Failure {
    fn from(why: NotAnswered) -> Self {
        match why {
            NotAnswered::Away => Self::ListAway,
            NotAnswered::MayBeDone => Self::Unknown,
            NotAnswered::Absent => Self::NotFound,
            NotAnswered::MovedMeanwhile => Self::MovedMeanwhile,
            NotAnswered::Expired => Self::EventExpired,
            NotAnswered::TooManyJobs => Self::TooManyJobs,
            // Whoever cancels jobs looks at them instead.
            NotAnswered::JobEnded => Self::MovedMeanwhile,
            NotAnswered::TokenUnknown => Self::ListKnowsOtherTokens,
            NotAnswered::Refused => Self::Internal,
        }
    }
}

impl From<Unavailable> for Failure {
    fn from(why: Unavailable) -> Self {
        match why {
            Unavailable::Loading | Unavailable::AuditLoading => Self::Loading,
            Unavailable::NotWritten => Self::NotDone,
            Unavailable::NotReadBack => Self::NotReadBack,
            Unavailable::NotAudited(error) => {
                tracing::error!(%error, "the audit was not told, and so nothing was done");
                Self::NotDone
            }
            Unavailable::Publish(error) => {
                tracing::error!(%error, "a change of an endpoint was not acknowledged");
                if error.may_be_written() {
                    Self::Unknown
                } else {
                    Self::NotDone
                }
            }
        }
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    shell: Shell,
    code: u16,
    title: &'static str,
    text: &'static str,
    is_home_of_use: bool,
}

/// A page.
pub(crate) fn html(page: &impl Template) -> Page {
    match page.render() {
        Ok(html) => Ok(Html(html).into_response()),
        Err(error) => {
            tracing::error!(%error, "a page cannot be made");
            Err(Failure::Internal)
        }
    }
}

/// The page of a search: 400 where something of it is not understood.
pub(crate) fn searched(page: &impl Template, errors: &Errors) -> Page {
    let mut response = html(page)?;
    if !errors.is_empty() {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    Ok(response)
}

/// Go there by GET. `to` is a path of ours.
pub(crate) fn see_other(to: &str) -> Response {
    match HeaderValue::try_from(to) {
        Ok(to) => (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response(),
        Err(_) => Failure::BadRequest.into_response(),
    }
}

/// The response with one more cookie set.
pub(crate) fn with_cookie(mut response: Response, cookie: (HeaderName, HeaderValue)) -> Response {
    response.headers_mut().append(cookie.0, cookie.1);
    response
}
