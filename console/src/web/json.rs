//! JSON as people read it: indented and coloured, each number and string as it
//! was written. What is no JSON is shown as the text that it is.

use askama::filters::Safe;
use serde::de::IgnoredAny;

use super::visible;

/// A text from outside, shown.
pub(crate) struct JsonView {
    /// As it came, byte for byte.
    pub(crate) exact: String,
    /// Indented and coloured where it is JSON.
    pub(crate) html: Safe<String>,
}

impl JsonView {
    pub(crate) fn of(text: impl Into<String>) -> Self {
        let exact = text.into();
        let is_json = serde_json::from_str::<IgnoredAny>(&exact).is_ok();
        let html = if is_json {
            indented(&exact)
        } else {
            visible::html(&exact)
        };
        Self {
            exact,
            html: Safe(html),
        }
    }
}

/// Walks over valid JSON.
fn indented(text: &str) -> String {
    let mut html = String::with_capacity(text.len() * 3);
    let mut depth = 0_usize;
    let mut rest = text;
    let mut before = None;
    while let Some(letter) = rest.chars().next() {
        let token = token(rest, letter);
        rest = rest.get(token.len()..).unwrap_or_default();
        if letter.is_ascii_whitespace() {
            continue;
        }
        let closes = matches!(letter, '}' | ']');
        if closes {
            depth = depth.saturating_sub(1);
        }
        let opened = matches!(before, Some('{' | '['));
        if before == Some(',') || opened != closes && (opened || closes) {
            html.push('\n');
            html.push_str(&"  ".repeat(depth));
        } else if before == Some(':') {
            html.push(' ');
        }
        push(&mut html, letter, token, rest);
        if matches!(letter, '{' | '[') {
            depth += 1;
        }
        before = Some(letter);
    }
    html
}

/// The token at the start of `rest`, which begins with `first`.
fn token(rest: &str, first: char) -> &str {
    let length = match first {
        '"' => string(rest),
        '{' | '}' | '[' | ']' | ',' | ':' => 1,
        space if space.is_ascii_whitespace() => 1,
        _ => {
            let end = |letter: char| ",]}:".contains(letter) || letter.is_ascii_whitespace();
            rest.find(end).unwrap_or(rest.len())
        }
    };
    rest.get(..length).unwrap_or(rest)
}

/// Bytes of the string that `rest` begins with.
fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn push(html: &mut String, first: char, token: &str, rest: &str) {
    let class = match first {
        '"' if rest.trim_start().starts_with(':') => "key",
        '"' => "string",
        '{' | '}' | '[' | ']' | ',' | ':' => {
            html.push_str(token);
            return;
        }
        '-' | '0'..='9' => "number",
        _ => "literal",
    };
    html.push_str("<span class=\"j-");
    html.push_str(class);
    html.push_str("\">");
    html.push_str(&visible::html(token));
    html.push_str("</span>");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        let html = JsonView::of(text).html.0;
        let mut plain = String::new();
        let mut inside = false;
        for letter in html.chars() {
            match letter {
                '<' => inside = true,
                '>' => inside = false,
                _ if !inside => plain.push(letter),
                _ => {}
            }
        }
        plain.replace("&quot;", "\"")
    }

    #[test]
    fn json_is_indented_and_nothing_in_it_changes() {
        let text = r#"{"a":1.50,"b":{"c":[1,{"d":null}],"e":{},"f":[]},"g":"x\"},y"}"#;
        let expected = "{\n  \"a\": 1.50,\n  \"b\": {\n    \"c\": [\n      1,\n      {\n        \
                        \"d\": null\n      }\n    ],\n    \"e\": {},\n    \"f\": []\n  },\n  \
                        \"g\": \"x\\\"},y\"\n}";
        assert_eq!(plain(text), expected);
        assert_eq!(JsonView::of(text).exact, text);
        assert_eq!(plain("[ ]"), "[]");
        assert_eq!(plain("1e400"), "1e400");
    }

    #[test]
    fn hostile_json_and_what_is_none_stay_text() {
        let html = JsonView::of(r#"{"<img>":"<script>"}"#).html.0;
        assert!(
            !html.contains("<img>") && !html.contains("<script>"),
            "{html}"
        );
        let html = JsonView::of("<h1>Not Found</h1>").html.0;
        assert_eq!(html, "&lt;h1&gt;Not Found&lt;/h1&gt;");
    }
}
