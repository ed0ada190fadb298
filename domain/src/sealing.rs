//! Keys that seal bytes, and open what any of them has sealed.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// Bytes of an XChaCha20 nonce.
const NONCE_BYTES: usize = 24;
/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// Why the settings' keys are no key ring.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyRingError {
    /// Nothing could be sealed.
    #[error("there is no key: at least one is needed, made with `openssl rand -base64 32`")]
    Empty,
    /// Not 32 bytes in base64.
    #[error("key {0:?} is not base64 of 32 bytes: make one with `openssl rand -base64 32`")]
    Malformed(String),
    /// Two keys with one name.
    #[error("key id {0:?} stands twice: each id may stand once")]
    Duplicate(String),
}

/// XChaCha20-Poly1305 keys: the first seals, all open.
#[derive(Clone)]
pub struct SealingKeys(Vec<Key>);

#[derive(Clone)]
struct Key {
    id: String,
    bytes: [u8; KEY_BYTES],
}

impl fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|key| &key.id))
            .finish()
    }
}

impl SealingKeys {
    /// Keys of (id, base64 of 32 bytes), the sealing key first.
    ///
    /// # Errors
    /// When there is none, one is not 32 bytes, or an id stands twice.
    pub fn new<'a>(
        keys: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, KeyRingError> {
        let mut ring: Vec<Key> = Vec::new();
        for (id, encoded) in keys {
            if ring.iter().any(|key| key.id == id) {
                return Err(KeyRingError::Duplicate(id.to_owned()));
            }
            let bytes = STANDARD
                .decode(encoded)
                .ok()
                .and_then(|bytes| bytes.try_into().ok())
                .ok_or_else(|| KeyRingError::Malformed(id.to_owned()))?;
            ring.push(Key {
                id: id.to_owned(),
                bytes,
            });
        }
        if ring.is_empty() {
            return Err(KeyRingError::Empty);
        }
        Ok(Self(ring))
    }

    /// Keys for another purpose, made from these by HKDF-Expand (RFC 5869, 2.3)
    /// with SHA-256: what one purpose has sealed opens for no other.
    ///
    /// # Panics
    /// Never: HMAC takes keys of any length.
    #[must_use]
    pub fn for_purpose(&self, purpose: &str) -> Self {
        let derived = self.0.iter().map(|key| {
            let mut mac = Hmac::<Sha256>::new_from_slice(&key.bytes).expect("any length will do");
            mac.update(purpose.as_bytes());
            mac.update(&[1]);
            Key {
                id: key.id.clone(),
                bytes: mac.finalize().into_bytes().into(),
            }
        });
        Self(derived.collect())
    }

    /// Nonce and sealed bytes. They open with the same `binding` only.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    #[must_use]
    pub fn seal(&self, binding: &[u8], bytes: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).expect("the operating system gives randomness");
        let payload = Payload {
            msg: bytes,
            aad: binding,
        };
        let sealed = self.0[0]
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .expect("what is sealed here is far below the cipher's limit of length");
        let mut all = nonce.to_vec();
        all.extend_from_slice(&sealed);
        all
    }

    /// What was sealed with one of the keys and this `binding`.
    #[must_use]
    pub fn open(&self, binding: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        self.0.iter().find_map(|key| key.open(binding, sealed))
    }

    /// The id of the key that seals.
    pub(crate) fn sealing_id(&self) -> &str {
        &self.0[0].id
    }

    /// The keys of one id: one at most.
    pub(crate) fn only(&self, id: &str) -> Option<Self> {
        let key = self.0.iter().find(|key| key.id == id)?;
        Some(Self(vec![key.clone()]))
    }
}

impl Key {
    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.bytes.into())
    }

    fn open(&self, binding: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, closed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload {
            msg: closed,
            aad: binding,
        };
        self.cipher().decrypt(&XNonce::from(*nonce), payload).ok()
    }
}
