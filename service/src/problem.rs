//! Errors of every API as `application/problem+json` (RFC 9457).

use std::borrow::Cow;

use axum::Router;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

/// The slug of a problem that its status says all about (RFC 9457, 4.2.1).
pub const ABOUT_BLANK: &str = "about:blank";

/// Characters of a found value or a path that are shown.
const MAX_SHOWN_CHARS: usize = 200;

/// One error answer. Serialises to the problem document; as a response it also sets the
/// status, `Retry-After`, and `WWW-Authenticate: Bearer` on a 401.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// [`ABOUT_BLANK`], or the last part of the type: `invalid-event` is `/problems/invalid-event`.
    pub slug: &'static str,
    /// What went wrong here and what to do, for a person.
    pub detail: String,
    /// Where in the input, one entry a mistake.
    pub errors: Vec<ProblemError>,
    /// Seconds after which the same request may work.
    pub retry_after: Option<u64>,
}

/// One mistake in the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProblemError {
    /// JSON path, such as `$.data.score`, or the name of a parameter.
    pub path: String,
    /// The value found, as JSON text, cut to 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What is allowed in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// The mistake in words.
    pub detail: String,
}

impl ProblemError {
    /// A mistake at `path`.
    pub fn new(path: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            path: shown(path.into()),
            found: None,
            allowed: None,
            detail: detail.into(),
        }
    }

    /// The value that stands there. Never pass a secret.
    #[must_use]
    pub fn found(mut self, found: impl Into<String>) -> Self {
        self.found = Some(shown(found.into()));
        self
    }

    /// What may stand there.
    #[must_use]
    pub fn allowed(mut self, allowed: impl Into<String>) -> Self {
        self.allowed = Some(allowed.into());
        self
    }
}

fn shown(text: String) -> String {
    match text.char_indices().nth(MAX_SHOWN_CHARS) {
        None => text,
        Some(_) => text.chars().take(MAX_SHOWN_CHARS).chain(['…']).collect(),
    }
}

impl Problem {
    /// A problem of type `/problems/<slug>`, or of no special type with [`ABOUT_BLANK`].
    pub fn new(status: StatusCode, slug: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            slug,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// Adds where in the input the mistake is.
    #[must_use]
    pub fn with_error(mut self, error: ProblemError) -> Self {
        self.errors.push(error);
        self
    }

    /// The same request may work after so many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// 401: who asks is not known.
    #[must_use]
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, ABOUT_BLANK, detail)
    }

    /// 403: who asks is known and may not.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, ABOUT_BLANK, detail)
    }

    /// 404; also for what belongs to another account, so that its existence is not told.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, ABOUT_BLANK, detail)
    }

    /// 413 with the limit in bytes.
    #[must_use]
    pub fn body_too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body-too-large",
            format!("the body is larger than the {limit} bytes allowed here"),
        )
    }

    /// `about:blank` or `/problems/<slug>`.
    #[must_use]
    pub fn type_uri(&self) -> String {
        if self.slug == ABOUT_BLANK {
            self.slug.to_owned()
        } else {
            format!("/problems/{}", self.slug)
        }
    }

    /// The status' name, or the slug in words.
    #[must_use]
    pub fn title(&self) -> String {
        if self.slug == ABOUT_BLANK {
            return self.status.canonical_reason().unwrap_or("Error").to_owned();
        }
        let words = self.slug.replace('-', " ");
        let words = words.replace("json", "JSON").replace("utf 8", "UTF-8");
        let mut rest = words.chars();
        let first = rest.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(rest).collect()
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", &self.type_uri())?;
        map.serialize_entry("title", &self.title())?;
        map.serialize_entry("status", &self.status.as_u16())?;
        map.serialize_entry("detail", &self.detail)?;
        if !self.errors.is_empty() {
            map.serialize_entry("errors", &self.errors)?;
        }
        map.end()
    }
}

impl JsonSchema for Problem {
    fn schema_name() -> Cow<'static, str> {
        "Problem".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A problem document (RFC 9457).",
            "type": "object",
            "properties": {
                "type": {
                    "description": "What kind of problem it is: a reference to tell kinds \
                                    apart by, or `about:blank` where the status says all.",
                    "type": "string",
                    "pattern": "^(about:blank|/problems/[a-z0-9-]+)$",
                },
                "title": {"description": "Its kind in words.", "type": "string"},
                "status": {
                    "description": "The status of the answer.",
                    "type": "integer",
                    "minimum": 400,
                    "maximum": 599,
                },
                "detail": {
                    "description": "What went wrong here and what to do, for a person.",
                    "type": "string",
                },
                "errors": {
                    "description": "Where in the request, one entry a mistake.",
                    "type": "array",
                    "items": generator.subschema_for::<ProblemError>(),
                    "minItems": 1,
                },
            },
            "required": ["type", "title", "status", "detail"],
        })
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).expect("strings and numbers always serialise");
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Makes unknown routes and wrong methods answer with a problem. Call it last: it covers the
/// routes that are there.
pub fn with_fallbacks<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
}

/// 404 for a route that does not exist.
pub async fn unknown_route(uri: Uri) -> Problem {
    Problem::not_found(format!(
        "there is nothing at {}",
        shown(uri.path().to_owned())
    ))
}

/// 405; the `Allow` header names the methods that the route has.
pub async fn wrong_method(method: Method, uri: Uri) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        ABOUT_BLANK,
        format!(
            "{} does not take {}; the Allow header says what it takes",
            shown(uri.path().to_owned()),
            shown(method.to_string())
        ),
    )
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), ABOUT_BLANK, rejection.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(rejection.status(), ABOUT_BLANK, rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::new(rejection.status(), ABOUT_BLANK, rejection.body_text())
    }
}
