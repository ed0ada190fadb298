//! Versions as entity tags (RFC 9110 sections 8.8.3 and 13.1.1).

use axum::http::{HeaderMap, StatusCode, header};
use service::problem::{ABOUT_BLANK, Problem};

use crate::endpoints::Precondition;

/// The tag of a version. It counts what the console writes: a state that the
/// dispatcher changes leaves it as it is.
pub(super) fn of(version: u64) -> String {
    format!("\"{version}\"")
}

/// What `If-Match` asks for; nothing where it is absent or `*`.
///
/// # Errors
/// 400 when it cannot be read.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Precondition, Problem> {
    let mut versions = Vec::new();
    let mut fields = headers.get_all(header::IF_MATCH).iter().peekable();
    if fields.peek().is_none() {
        return Ok(Precondition::None);
    }
    for field in fields {
        let text = field.to_str().map_err(|_| malformed())?;
        for tag in text.split(',').map(str::trim) {
            if tag == "*" {
                return Ok(Precondition::None);
            }
            // Weak tags never match here (strong comparison), and neither do
            // tags that no version ever had.
            let opaque = tag.strip_prefix("W/").unwrap_or(tag);
            let inner = opaque
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'))
                .ok_or_else(malformed)?;
            if opaque == tag {
                versions.extend(inner.parse::<u64>().ok());
            }
        }
    }
    Ok(Precondition::Version(versions))
}

pub(super) fn malformed() -> Problem {
    let detail = "If-Match cannot be read: it takes ETags as they came, with their quotes, or *";
    Problem::new(StatusCode::BAD_REQUEST, ABOUT_BLANK, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &'static str) -> Option<Precondition> {
        let headers = HeaderMap::from_iter([(header::IF_MATCH, value.parse().unwrap())]);
        if_match(&headers).ok()
    }

    #[test]
    fn if_match_takes_strong_tags_lists_and_the_star() {
        let version = |versions: &[u64]| Some(Precondition::Version(versions.to_vec()));
        assert_eq!(read("\"3\""), version(&[3]));
        assert_eq!(read("\"3\", \"5\""), version(&[3, 5]));
        assert_eq!(read("W/\"3\""), version(&[]));
        assert_eq!(read("\"another\""), version(&[]));
        assert_eq!(read("*"), Some(Precondition::None));
        assert_eq!(read("3"), None);
        assert_eq!(read(""), None);
        assert_eq!(if_match(&HeaderMap::new()).unwrap(), Precondition::None);
    }
}
