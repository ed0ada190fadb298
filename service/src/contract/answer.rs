//! What an operation answers when it does what it is asked for.

use axum::http::StatusCode;

use super::Content;

/// An answer that is no problem.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// What it means.
    pub description: &'static str,
    /// Its headers beside those of every answer: name and meaning.
    pub headers: Vec<(&'static str, &'static str)>,
    /// Its body, if it has one.
    pub content: Option<Content>,
    /// What later requests need of it.
    pub kept: Vec<Kept>,
}

/// A value of an answer that other operations take as a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What it is called: [`Parameter::variable`](super::Parameter::variable) of those that
    /// take it.
    pub variable: &'static str,
    /// Where it stands in the body: a JSON pointer.
    pub pointer: &'static str,
}

impl Answer {
    /// An answer without a body.
    #[must_use]
    pub fn empty(status: StatusCode, description: &'static str) -> Self {
        Self {
            status,
            description,
            headers: Vec::new(),
            content: None,
            kept: Vec::new(),
        }
    }

    /// An answer with a body.
    #[must_use]
    pub fn with(status: StatusCode, description: &'static str, content: Content) -> Self {
        Self {
            content: Some(content),
            ..Self::empty(status, description)
        }
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, meaning: &'static str) -> Self {
        self.headers.push((name, meaning));
        self
    }

    /// The value at `pointer` is what others take as `variable`.
    #[must_use]
    pub fn keep(mut self, variable: &'static str, pointer: &'static str) -> Self {
        self.kept.push(Kept { variable, pointer });
        self
    }
}
