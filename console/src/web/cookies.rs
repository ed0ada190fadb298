//! Cookies: what a request brings, and what an answer sets.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// How this request's cookies are called and set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Jar {
    /// Over TLS: `Secure`, and named `__Host-`, so that no other host can set them.
    Secure,
    /// Over plain HTTP on this machine.
    Plain,
}

impl Jar {
    /// The value of a cookie, as it came: anybody may have written it.
    pub(crate) fn get<'a>(self, headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
        let name = self.name(name);
        let fields = headers.get_all(header::COOKIE).iter();
        fields
            .filter_map(|field| field.to_str().ok())
            .flat_map(|field| field.split(';'))
            .find_map(|pair| {
                let (found, value) = pair.trim().split_once('=')?;
                (found == name).then_some(value)
            })
    }

    /// `Set-Cookie` for this host, all paths, no script. `value` is of letters,
    /// digits, `-`, `_` and `.`.
    pub(crate) fn set(self, name: &str, value: &str, keep: Duration) -> (HeaderName, HeaderValue) {
        let secure = match self {
            Self::Secure => "; Secure",
            Self::Plain => "",
        };
        let cookie = format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}",
            self.name(name),
            keep.as_secs()
        );
        let cookie = HeaderValue::try_from(cookie);
        (
            header::SET_COOKIE,
            cookie.unwrap_or_else(|_| HeaderValue::from_static("")),
        )
    }

    /// `Set-Cookie` that removes it.
    pub(crate) fn remove(self, name: &str) -> (HeaderName, HeaderValue) {
        self.set(name, "", Duration::ZERO)
    }

    fn name(self, name: &str) -> String {
        match self {
            Self::Secure => format!("__Host-{name}"),
            Self::Plain => name.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secure_jar_sees_and_sets_secure_cookies_only() {
        let field = "session=plain; __Host-session=sealed; theme=dark";
        let headers = HeaderMap::from_iter([(header::COOKIE, field.parse().unwrap())]);
        assert_eq!(Jar::Secure.get(&headers, "session"), Some("sealed"));
        assert_eq!(Jar::Plain.get(&headers, "session"), Some("plain"));
        assert_eq!(Jar::Secure.get(&headers, "theme"), None);
        let (_, set) = Jar::Secure.set("session", "x", Duration::from_secs(60));
        assert_eq!(
            set,
            "__Host-session=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure"
        );
    }
}
