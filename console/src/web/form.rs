//! Fields of forms and queries, and what is wrong with them.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::{Failure, Messages, Pages};

/// Letters of a wrong value that are shown.
const LONGEST_SHOWN: usize = 40;

/// The fields of a form, in the order of the page. As a handler's argument it is
/// a form that [`guard`](super::guard) has let pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `application/x-www-form-urlencoded`; what is no UTF-8 is replaced.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// The first field of a name, empty where there is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        let field = self.0.iter().find(|(field, _)| field == name);
        field.map_or("", |(_, text)| text)
    }

    /// All fields of a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(field, _)| field == name);
        named.map(|(_, text)| text.as_str())
    }

    /// What a field chooses from `all` by its word; empty chooses nothing. What is no
    /// such word is said in `errors`, with those that are.
    pub(crate) fn chosen<T: Copy>(
        &self,
        field: &str,
        all: &[T],
        word: impl Fn(T) -> &'static str,
        t: &'static Messages,
        errors: &mut Errors,
    ) -> Option<T> {
        let typed = self.text(field).trim();
        let found = all.iter().copied().find(|one| word(*one) == typed);
        if found.is_none() && !typed.is_empty() {
            let typed: String = typed.chars().take(LONGEST_SHOWN).collect();
            let allowed: Vec<&str> = all.iter().map(|one| word(*one)).collect();
            errors.add(field, t.search.not_allowed(typed, allowed.join(", ")));
        }
        found
    }

    /// `?` and the fields that hold something, with `name` set to `value`.
    pub(crate) fn query_with(&self, name: &str, value: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (field, text) in &self.0 {
            if field != name && !text.is_empty() {
                query.append_pair(field, text);
            }
        }
        if !value.is_empty() {
            query.append_pair(name, value);
        }
        format!("?{}", query.finish())
    }
}

impl FromRequestParts<Pages> for Form {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Pages) -> Result<Self, Failure> {
        // Only `guard` puts it there, after its checks.
        parts.extensions.remove::<Self>().ok_or(Failure::Internal)
    }
}

/// The fields of the URL's query.
#[derive(Debug)]
pub(crate) struct Query(pub(crate) Form);

impl FromRequestParts<Pages> for Query {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Pages) -> Result<Self, Failure> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(Form::parse(query.as_bytes())))
    }
}

/// What is wrong in a form, by the ids of its fields, in the page's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Errors(Vec<(String, String)>);

impl Errors {
    /// One more, in the reader's language. A field keeps its first one.
    pub(crate) fn add(&mut self, field: impl Into<String>, text: impl Into<String>) {
        let field = field.into();
        if self.of(&field).is_none() {
            self.0.push((field, text.into()));
        }
    }

    /// Puts them into the order of the fields on the page.
    pub(crate) fn sort_by(&mut self, rank: impl Fn(&str) -> usize) {
        self.0.sort_by_key(|(field, _)| rank(field));
    }

    pub(crate) fn of(&self, field: &str) -> Option<&str> {
        let error = self.0.iter().find(|(known, _)| known == field);
        error.map(|(_, text)| text.as_str())
    }

    pub(crate) fn all(&self) -> &[(String, String)] {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_as_they_were_sent_and_a_query_keeps_what_holds_something() {
        let form = Form::parse("a=1&b=&a=2&c=%3Cb%3E+%F0%9F%98%80".as_bytes());
        assert_eq!(form.text("a"), "1");
        assert_eq!(form.all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(form.text("c"), "<b> 😀");
        assert_eq!(form.text("d"), "");
        assert_eq!(
            form.query_with("a", "9&9"),
            "?c=%3Cb%3E+%F0%9F%98%80&a=9%269"
        );
        assert_eq!(Form::default().query_with("a", ""), "?");
    }
}
