//! W3C Trace Context (level 1): the trace that a request belongs to.

use axum::http::HeaderMap;
use uuid::Uuid;

/// `00-`, 32 digits, `-`, 16 digits, `-`, 2 digits.
const LENGTH: usize = 55;

/// The request's `traceparent`, or a new one that is not sampled where there
/// is none, more than one, or one that breaks the standard.
pub(crate) fn of(headers: &HeaderMap) -> String {
    let mut values = headers.get_all("traceparent").iter();
    let only = values.next().filter(|_| values.next().is_none());
    only.and_then(|value| valid(value.to_str().ok()?))
        .unwrap_or_else(generate)
}

/// The text as version 00 where it is one that version 00 can read.
fn valid(text: &str) -> Option<String> {
    let known = text.get(..LENGTH)?;
    let rest = text.get(LENGTH..)?;
    let mut parts = known.split('-');
    let (version, trace, parent, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |part: &str, length: usize| {
        part.len() == length
            && part
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let zero = |part: &str| part.bytes().all(|b| b == b'0');
    // A later version may go on after a further hyphen, version 00 ends here.
    let ends = rest.is_empty() || (version != "00" && rest.starts_with('-'));
    let fits = hex(version, 2) && hex(trace, 32) && hex(parent, 16) && hex(flags, 2);
    (fits && ends && version != "ff" && !zero(trace) && !zero(parent))
        .then(|| format!("00-{trace}-{parent}-{flags}"))
}

fn generate() -> String {
    let trace = Uuid::new_v4().as_u128();
    // The half with the variant bits: never zero.
    let (_, parent) = Uuid::new_v4().as_u64_pair();
    format!("00-{trace:032x}-{parent:016x}-00")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const AFTER_VERSION: &str = "-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("traceparent", value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_valid_traceparent_is_kept() {
        assert_eq!(of(&headers(&[TRACE])), TRACE);
    }

    #[test]
    fn a_later_version_is_read_as_version_00() {
        let later = format!("cc{AFTER_VERSION}-what-the-future-will-be");
        assert_eq!(of(&headers(&[&later])), TRACE);
    }

    #[test]
    fn everything_else_is_replaced_by_a_new_one_that_is_valid() {
        let zero_trace = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
        let zero_parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01";
        for wrong in [
            "",
            "x",
            zero_trace,
            zero_parent,
            &TRACE.to_uppercase(),
            &format!("{TRACE}-x"),
            &format!("ff{AFTER_VERSION}"),
            &format!("cc{AFTER_VERSION}x"),
        ] {
            let new = of(&headers(&[wrong]));
            assert_ne!(new, *wrong);
            assert_eq!(valid(&new), Some(new.clone()), "{new}");
        }
        assert_ne!(of(&headers(&[TRACE, TRACE])), TRACE);
        assert_ne!(of(&HeaderMap::new()), of(&HeaderMap::new()));
    }
}
