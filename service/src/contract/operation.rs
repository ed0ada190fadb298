//! One operation: a method on a path.

use axum::extract::Query;
use axum::http::{Method, Uri};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::{Answer, Content, Parameter};
use crate::problem::Problem;
use crate::settings::Role;
use crate::{body, tokens};

/// How a caller says who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// `Authorization: Bearer`, with a token of one of these roles.
    Bearer(&'static [Role]),
    /// A token in this parameter of the query.
    Query(&'static str),
}

/// A method on a path, as its callers see it.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The method.
    pub method: Method,
    /// The path, with parameters between braces.
    pub path: &'static str,
    /// Its name in generated clients.
    pub id: &'static str,
    /// What it belongs to.
    pub tag: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// What else there is to know (`CommonMark`).
    pub description: &'static str,
    /// The ways to say who one is; none where nobody is asked.
    pub security: Vec<Security>,
    /// What it takes beside a body.
    pub parameters: Vec<Parameter>,
    /// The bodies it takes, one at a time.
    pub bodies: Vec<Content>,
    /// What it answers when it does what it is asked for; the usual one first.
    pub answers: Vec<Answer>,
    /// What it answers otherwise: the problems as they are sent.
    pub problems: Vec<Problem>,
}

impl Operation {
    pub(super) fn new(method: Method, path: &'static str) -> Self {
        Self {
            method,
            path,
            id: "",
            tag: "",
            summary: "",
            description: "",
            security: Vec::new(),
            parameters: Vec::new(),
            bodies: Vec::new(),
            answers: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Its names.
    #[must_use]
    pub fn named(mut self, tag: &'static str, id: &'static str, summary: &'static str) -> Self {
        (self.tag, self.id, self.summary) = (tag, id, summary);
        self
    }

    /// What else there is to know.
    #[must_use]
    pub fn about(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// It needs a token with one of these roles.
    #[must_use]
    pub fn bearer(mut self, roles: &'static [Role]) -> Self {
        self.security.push(Security::Bearer(roles));
        self.refuses_all(tokens::refusals(roles))
    }

    /// It takes a token in the query, too.
    #[must_use]
    pub fn token_in_query(mut self, name: &'static str) -> Self {
        self.security.push(Security::Query(name));
        self
    }

    /// It takes a parameter.
    #[must_use]
    pub fn takes(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// It takes each field of `T` as a parameter of the query, and no other.
    #[must_use]
    pub fn query<T: JsonSchema + DeserializeOwned>(mut self) -> Self {
        self.parameters.extend(Parameter::of_query::<T>());
        let unknown = Query::<T>::try_from_uri(&Uri::from_static("/?unknown=1"));
        self.problems.extend(unknown.err().map(Problem::from));
        self
    }

    /// It takes a body.
    #[must_use]
    pub fn body(mut self, content: Content) -> Self {
        self.bodies.push(content);
        self
    }

    /// It takes a body of JSON that is read by [`body::read`] and [`body::json`].
    #[must_use]
    pub fn json_body(self, limit: usize, content: Content) -> Self {
        self.body(content).refuses_all(body::refusals(limit))
    }

    /// It answers so.
    #[must_use]
    pub fn answers(mut self, answer: Answer) -> Self {
        self.answers.push(answer);
        self
    }

    /// It may answer with this problem.
    #[must_use]
    pub fn refuses(mut self, problem: impl Into<Problem>) -> Self {
        self.problems.push(problem.into());
        self
    }

    /// It may answer with one of these problems.
    #[must_use]
    pub fn refuses_all(mut self, problems: impl IntoIterator<Item = Problem>) -> Self {
        self.problems.extend(problems);
        self
    }
}
