//! Where a form may lead.

/// `path` where it is one of ours: never another host, however it is written.
pub(crate) fn own_page(path: &str) -> Option<&str> {
    let mut letters = path.chars();
    let is_path = letters.next() == Some('/') && !matches!(letters.next(), Some('/' | '\\'));
    let is_plain = path.bytes().all(|byte| matches!(byte, b'!'..=b'~')) && !path.contains('\\');
    (is_path && is_plain && path.len() <= 2048).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::own_page;

    #[test]
    fn a_sign_in_leads_back_to_our_own_pages_only() {
        for own in ["/", "/endpoints?q=a&state=paused", "/endpoints/ep_1"] {
            assert_eq!(own_page(own), Some(own));
        }
        for other in [
            "",
            "endpoints",
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example",
            "/a\\b",
            "/\t/evil.example",
            "/ü",
            "/a\r\nSet-Cookie: x",
            &format!("/{}", "a".repeat(3000)),
        ] {
            assert_eq!(own_page(other), None, "{other}");
        }
    }
}
