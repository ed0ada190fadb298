//! Settings files for the binaries. Their key names stand here and nowhere
//! else in the test bed.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use toml::{Table, Value};

use crate::{Binary, free_port};

/// Tokens that every stack knows.
pub mod tokens {
    /// Everything of the account `shop`; what [`crate::Stack::client`] uses.
    pub const SHOP: &str = "token-of-the-account-shop";
    /// Everything of the account `other`.
    pub const OTHER: &str = "token-of-the-account-other";
    /// Only to post events of `shop`, from [`SHOP_ORIGIN`].
    pub const INGEST: &str = "token-of-the-widget-of-shop";
    /// Every account.
    pub const OPERATOR: &str = "token-of-an-operator";
    /// Where the widget of `shop` runs.
    pub const SHOP_ORIGIN: &str = "https://www.shop.example";
}

/// One binary's settings.
#[derive(Debug, Clone)]
pub struct Settings(Table);

impl Settings {
    /// For a binary on this broker, with this prefix in front of all names of
    /// topics and groups, on free ports, with the [`tokens`].
    #[must_use]
    pub fn new(binary: Binary, bootstrap: &str, prefix: &str) -> Self {
        let settings = Self(Table::new())
            .set("kafka.brokers", bootstrap)
            .set("kafka.prefix", prefix)
            .set("topics.replication", 1)
            .set("log.format", "human")
            .set("log.level", "info")
            .set("admin.listen", local_address());
        let settings = match binary {
            Binary::Producer | Binary::DlqConsumer | Binary::Console => settings
                .set("http.listen", local_address())
                .set("auth.tokens", standard_tokens()),
            Binary::Dispatcher => settings,
        };
        match binary {
            Binary::Dispatcher | Binary::Console => settings
                // The same key for all, as the secrets travel between them.
                .set("secrets.keys", vec![secrets_key("e2e", 7)])
                .set("guard.allow_plain_http_to_loopback", true),
            Binary::Producer | Binary::DlqConsumer => settings,
        }
    }

    /// Changes one value; `key` is dotted, as in an error message of a binary.
    ///
    /// # Panics
    /// When a part of the key but the last one is a value and not a table.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        let mut table = &mut self.0;
        let (path, last) = key.rsplit_once('.').unwrap_or(("", key));
        for part in path.split('.').filter(|part| !part.is_empty()) {
            let inner = table.entry(part).or_insert_with(|| Table::new().into());
            table = inner.as_table_mut().expect("the key leads through tables");
        }
        table.insert(last.to_owned(), value.into());
        self
    }

    /// A value; `None` where it is left to the binary's default.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        let mut parts = key.split('.');
        let first = self.0.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    }

    /// The file.
    #[must_use]
    pub fn to_toml(&self) -> String {
        self.0.to_string()
    }

    pub(crate) fn address(&self, key: &str) -> String {
        let address = self.get(key).and_then(Value::as_str);
        address
            .unwrap_or_else(|| panic!("{key} is not set"))
            .to_owned()
    }
}

/// An entry of `auth.tokens`.
#[must_use]
pub fn token(id: &str, account: &str, role: &str, token: &str, origins: &[&str]) -> Value {
    let mut sha256 = String::new();
    for byte in Sha256::digest(token.as_bytes()) {
        write!(sha256, "{byte:02x}").expect("text grows");
    }
    let mut entry = Table::new();
    entry.insert("id".to_owned(), id.into());
    if !account.is_empty() {
        entry.insert("account".to_owned(), account.into());
    }
    entry.insert("role".to_owned(), role.into());
    entry.insert("sha256".to_owned(), sha256.into());
    if !origins.is_empty() {
        entry.insert("origins".to_owned(), origins.to_vec().into());
    }
    entry.into()
}

/// An entry of `secrets.keys`: 32 times this byte.
#[must_use]
pub fn secrets_key(id: &str, byte: u8) -> Value {
    let mut entry = Table::new();
    entry.insert("id".to_owned(), id.into());
    entry.insert("key".to_owned(), STANDARD.encode([byte; 32]).into());
    entry.into()
}

fn standard_tokens() -> Vec<Value> {
    vec![
        token("shop", "shop", "account", tokens::SHOP, &[]),
        token("other", "other", "account", tokens::OTHER, &[]),
        token(
            "widget",
            "shop",
            "ingest",
            tokens::INGEST,
            &[tokens::SHOP_ORIGIN],
        ),
        token("operator", "", "operator", tokens::OPERATOR, &[]),
    ]
}

fn local_address() -> String {
    format!("127.0.0.1:{}", free_port())
}
