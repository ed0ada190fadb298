//! The session: in a cookie, sealed, and nowhere else. Whoever holds it is known
//! by the token inside, which is looked up at each request: a token that was
//! removed from the settings ends its sessions.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{KeyRing, SealingKeys, Timestamp};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

/// How long a session lasts, from its sign-in.
pub(crate) const LIFETIME: Duration = Duration::from_secs(12 * 3600);
/// What the keys are derived for, and what the cookies are bound to.
const PURPOSE: &str = "console session 2";
/// Bytes of a form token.
const FORM_TOKEN: usize = 16;

/// Seals and opens sessions.
#[derive(Debug)]
pub(crate) struct Sessions(SealingKeys);

/// Somebody's session.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The bearer token. It goes to no page.
    token: String,
    /// What the session's forms carry, masked.
    form_token: [u8; FORM_TOKEN],
    expires_at: Timestamp,
}

impl Sessions {
    pub(crate) fn new(keys: &KeyRing) -> Self {
        Self(keys.for_purpose(PURPOSE))
    }

    /// A cookie's value.
    pub(crate) fn seal(&self, session: &Session) -> String {
        let bytes = serde_json::to_vec(session).expect("a session holds only what JSON can");
        URL_SAFE_NO_PAD.encode(self.0.seal(PURPOSE.as_bytes(), &bytes))
    }

    /// The session of a cookie, unless it has ended or is none of ours.
    pub(crate) fn open(&self, cookie: &str, now: Timestamp) -> Option<Session> {
        let sealed = URL_SAFE_NO_PAD.decode(cookie).ok()?;
        let bytes = self.0.open(PURPOSE.as_bytes(), &sealed)?;
        let session: Session = serde_json::from_slice(&bytes).ok()?;
        (now < session.expires_at).then_some(session)
    }
}

impl Session {
    /// For whoever has this token.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    pub(crate) fn begin(token: String, now: Timestamp) -> Self {
        let mut random = [0; FORM_TOKEN];
        getrandom::fill(&mut random).expect("the operating system gives randomness");
        Self {
            token,
            form_token: random,
            expires_at: now + LIFETIME,
        }
    }

    /// Named so that a reader of the code notices each place where it leaves.
    pub(crate) fn expose_token(&self) -> &str {
        &self.token
    }

    /// What the forms of a page carry: another text each time, so that the sizes
    /// of packed pages do not tell it.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    pub(crate) fn form_token(&self) -> String {
        let mut text = [0; 2 * FORM_TOKEN];
        let (pad, masked) = text.split_at_mut(FORM_TOKEN);
        getrandom::fill(pad).expect("the operating system gives randomness");
        for ((masked, pad), byte) in masked.iter_mut().zip(pad).zip(self.form_token) {
            *masked = *pad ^ byte;
        }
        URL_SAFE_NO_PAD.encode(text)
    }

    /// Whether a form came from a page of this session; in constant time.
    pub(crate) fn has_form_token(&self, given: &str) -> bool {
        let Ok(text) = URL_SAFE_NO_PAD.decode(given) else {
            return false;
        };
        let Some((pad, masked)) = text.split_at_checked(FORM_TOKEN) else {
            return false;
        };
        let bytes: Vec<u8> = pad.iter().zip(masked).map(|(pad, it)| pad ^ it).collect();
        masked.len() == FORM_TOKEN && bool::from(self.form_token.ct_eq(&bytes[..]))
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session(********)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISE=";
    const OTHER: &str = "IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=";

    fn sessions(key: &str) -> Sessions {
        Sessions::new(&KeyRing::new([("a", key)]).unwrap())
    }

    #[test]
    fn a_session_opens_until_it_ends_and_shows_nothing_of_its_token() {
        let sessions = sessions(KEY);
        let now = Timestamp::from_millis(1_000_000);
        let session = Session::begin("the-token".to_owned(), now);
        let cookie = sessions.seal(&session);
        let raw = URL_SAFE_NO_PAD.decode(&cookie).unwrap();
        assert!(!raw.windows(9).any(|bytes| bytes == b"the-token"));
        assert!(!format!("{session:?}").contains("the-token"));

        let opened = sessions.open(&cookie, now).unwrap();
        assert_eq!(opened.expose_token(), "the-token");
        let (first, second) = (session.form_token(), session.form_token());
        assert_ne!(first, second, "each page has another one");
        assert!(opened.has_form_token(&first) && opened.has_form_token(&second));
        let other = Session::begin("the-token".to_owned(), now);
        let short: String = first.chars().take(40).collect();
        let long = format!("{first}AAAA");
        for wrong in ["", "AAAA", &short, &long, &other.form_token()] {
            assert!(!opened.has_form_token(wrong), "{wrong}");
        }
        let almost = Timestamp::from_millis(now.millis() + 12 * 3_600_000 - 1);
        assert!(sessions.open(&cookie, almost).is_some());
        assert!(sessions.open(&cookie, now + LIFETIME).is_none());
    }

    #[test]
    fn what_others_have_made_is_no_session() {
        let now = Timestamp::from_millis(0);
        let session = Session::begin("the-token".to_owned(), now);
        let cookie = sessions(OTHER).seal(&session);
        assert!(sessions(KEY).open(&cookie, now).is_none());
        let mut cookie = sessions(KEY).seal(&session);
        let altered = if cookie.pop() == Some('A') { 'B' } else { 'A' };
        cookie.push(altered);
        for wrong in ["", "x", "....", cookie.as_str()] {
            assert!(sessions(KEY).open(wrong, now).is_none(), "{wrong}");
        }
    }
}
