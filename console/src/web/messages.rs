//! The texts of the pages: the types and values that `build/messages.rs` makes of
//! `messages/`.

use std::fmt::Display;

use super::Language;

include!(concat!(env!("OUT_DIR"), "/messages.rs"));

/// A text that depends on a number.
#[derive(Debug)]
struct Counted {
    language: Language,
    one: &'static str,
    other: &'static str,
}

impl Counted {
    fn of(&self, n: u64, others: &[(&str, &dyn Display)]) -> String {
        let number = self.language.number(n);
        let mut values: Vec<(&str, &dyn Display)> = vec![("n", &number)];
        values.extend_from_slice(others);
        fill(if n == 1 { self.one } else { self.other }, &values)
    }
}

/// The text with each `{name}` replaced. What is put in is not looked at again.
fn fill(text: &str, values: &[(&str, &dyn Display)]) -> String {
    let mut filled = String::with_capacity(text.len() + 32);
    let mut parts = text.split('{');
    filled.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
            filled.push_str(&value.to_string());
        }
        filled.push_str(rest);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_once() {
        let values: [(&str, &dyn Display); 2] = [("a", &"{b}"), ("b", &2)];
        assert_eq!(fill("{a} and {b}.", &values), "{b} and 2.");
        assert_eq!(fill("plain", &values), "plain");
    }
}
