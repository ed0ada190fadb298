//! What templates can do with a value, beside what the engine has. Everything
//! else in `{{ }}` is escaped by the engine.

use std::fmt::Display;

use askama::Values;
use askama::filters::Safe;

use super::visible;

/// Other people's text: hidden characters are shown.
#[askama::filter_fn]
pub(crate) fn foreign(text: impl Display, _: &dyn Values) -> askama::Result<Safe<String>> {
    Ok(Safe(visible::html(&text.to_string())))
}

/// Byte for byte, for scripts.
#[askama::filter_fn]
pub(crate) fn exact(text: impl Display, _: &dyn Values) -> askama::Result<Safe<String>> {
    Ok(Safe(visible::exact(&text.to_string())))
}

/// One of our messages: `code` between backticks becomes code.
#[askama::filter_fn]
pub(crate) fn rich(text: impl Display, _: &dyn Values) -> askama::Result<Safe<String>> {
    let text = visible::html(&text.to_string());
    let mut html = String::with_capacity(text.len() + 32);
    for (index, part) in text.split('`').enumerate() {
        if index % 2 == 1 {
            html.push_str("<code>");
            html.push_str(part);
            html.push_str("</code>");
        } else {
            html.push_str(part);
        }
    }
    Ok(Safe(html))
}

/// A long id, shortened in the middle: `evt_0190bf…e047`.
#[askama::filter_fn]
pub(crate) fn short(id: impl Display, _: &dyn Values) -> askama::Result<String> {
    Ok(shortened(&id.to_string()))
}

/// Longer ones are shortened.
const LONGEST: usize = 16;

fn shortened(id: &str) -> String {
    let letters: Vec<char> = id.chars().collect();
    if letters.len() <= LONGEST {
        return id.to_owned();
    }
    let (start, end) = (&letters[..10], &letters[letters.len() - 4..]);
    start.iter().chain(&['…']).chain(end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_shortened_in_the_middle() {
        let id = "ep_0190bf5ce3807a6b9d2c8f3a2c91e047";
        assert_eq!(shortened(id), "ep_0190bf5…e047");
        assert_eq!(shortened("shop-backend"), "shop-backend");
    }
}
