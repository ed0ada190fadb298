//! The page: one template, and one message file a language.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use bytes::Bytes;

use super::language::Language;

const TEMPLATE: &str = include_str!("../../shop/page.html");
const GERMAN: &str = include_str!("../../shop/de.json");
const ENGLISH: &str = include_str!("../../shop/en.json");

/// The page in each language.
pub(super) struct Pages {
    german: Bytes,
    english: Bytes,
}

impl Pages {
    /// Fills the template with these values and each language's messages.
    ///
    /// # Errors
    /// When one of both is missing.
    pub(super) fn new(values: &[(&str, &str)]) -> anyhow::Result<Self> {
        let page = |language: Language, messages| {
            let messages: BTreeMap<String, String> = serde_json::from_str(messages)?;
            let filled = fill(TEMPLATE, |name| match name {
                "language" => Some(language.tag()),
                name => values
                    .iter()
                    .find(|(value, _)| *value == name)
                    .map(|(_, value)| *value)
                    .or_else(|| messages.get(name).map(String::as_str)),
            });
            let filled = filled.with_context(|| format!("the page in {}", language.tag()))?;
            anyhow::Ok(Bytes::from(filled))
        };
        Ok(Self {
            german: page(Language::German, GERMAN)?,
            english: page(Language::English, ENGLISH)?,
        })
    }

    pub(super) fn of(&self, language: Language) -> Bytes {
        match language {
            Language::German => self.german.clone(),
            Language::English => self.english.clone(),
        }
    }
}

/// Puts a value, escaped, in the place of each `{{name}}`.
fn fill<'a>(template: &str, value: impl Fn(&str) -> Option<&'a str>) -> anyhow::Result<String> {
    let mut page = String::with_capacity(2 * template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").context("a {{ has no }}")?;
        let Some(value) = value(name) else {
            bail!("nothing is called {name}");
        };
        page.push_str(before);
        escape(value, &mut page);
        rest = after;
    }
    page.push_str(rest);
    Ok(page)
}

/// For text and for attributes in double quotes.
fn escape(text: &str, into: &mut String) {
    for c in text.chars() {
        match c {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            c => into.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_messages_that_the_page_shows_and_no_others() {
        let keys = |messages| -> Vec<String> {
            let messages: BTreeMap<String, String> = serde_json::from_str(messages).unwrap();
            messages.into_keys().collect()
        };
        assert_eq!(keys(GERMAN), keys(ENGLISH));
        for key in keys(GERMAN) {
            assert!(TEMPLATE.contains(&format!("{{{{{key}}}}}")), "{key}");
        }
    }

    #[test]
    fn values_are_escaped_and_a_missing_one_is_told() {
        let hostile = |_: &str| Some(r#""><script>&"#);
        let filled = fill("<p title=\"{{a}}\">", hostile).unwrap();
        assert_eq!(filled, "<p title=\"&quot;&gt;&lt;script&gt;&amp;\">");
        let error = fill("{{absent}}", |_| None).unwrap_err();
        assert_eq!(error.to_string(), "nothing is called absent");
    }
}
