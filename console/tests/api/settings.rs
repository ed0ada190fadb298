//! The settings file and its checks.

use std::collections::HashMap;

use console::settings::{DEFAULTS, Settings};
use service::settings::{SettingsError, load_from, print};

use super::fixture::settings;

fn checked(env: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let key = (
        "SECRETS__KEYS",
        r#"[{ id = "a", key = "ISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISE=" }]"#,
    );
    let env: HashMap<String, String> = std::iter::once(&key)
        .chain(env)
        .map(|(name, value)| (format!("FEEDBACKPRO__{name}"), (*value).to_owned()))
        .collect();
    let settings: Settings = load_from(DEFAULTS, &[], env)?;
    settings.check().map(|()| settings)
}

#[test]
fn the_default_file_is_complete_but_for_the_sealing_key() {
    let settings: Settings = load_from(DEFAULTS, &[], HashMap::new()).unwrap();
    let error = settings.check().unwrap_err();
    assert_eq!(error.key(), "secrets.keys");
    assert!(
        error.to_string().contains("openssl rand -base64 32"),
        "{error}"
    );
    let settings = checked(&[]).unwrap();
    assert_eq!(settings.topic_names().endpoints, "webhooks.endpoints");
}

#[test]
fn a_wrong_setting_names_its_key() {
    for (name, value, key) in [
        (
            "SECRETS__KEYS",
            r#"[{ id = "a", key = "c2hvcnQ=" }]"#,
            "secrets.keys",
        ),
        ("RETRY__SCHEDULE", "2m,15s", "retry.schedule"),
        ("RETRY__SCHEDULE", "soon", "retry.schedule"),
        (
            "LIMITS__ENDPOINTS_PER_ACCOUNT",
            "0",
            "limits.endpoints_per_account",
        ),
        ("INDEX__MAX_ATTEMPTS", "10", "index.max_attempts"),
        ("GUARD__DENY_CIDRS", "10.0.0.0/33", "guard.deny_cidrs"),
        ("EGRESS__PROXY", "ftp://proxy", "egress.proxy"),
        ("EGRESS__EXTRA_CA", "/nowhere.pem", "egress.extra_ca"),
        ("KAFKA__PROPERTIES__ACKS", "1", "kafka.properties"),
        ("HTTP__LISTEN", "8080", "http.listen"),
        ("FAILED__URL", "127.0.0.1:8082", "failed.url"),
        ("FAILED__URL", "https://dlq-consumer:8082", "failed.url"),
        ("FAILED__URL", "http://user@dlq-consumer:8082", "failed.url"),
        (
            "FAILED__URL",
            "http://dlq-consumer:8082/webhooks",
            "failed.url",
        ),
    ] {
        let error = checked(&[(name, value)]).unwrap_err();
        assert!(error.key().starts_with(key), "{name}={value}: {error}");
    }
}

#[test]
fn printed_settings_show_no_secret() {
    let settings = settings("127.0.0.1:1");
    let printed = print(&settings);
    assert!(printed.contains("[[secrets.keys]]"), "{printed}");
    assert!(!printed.contains(settings.secrets.keys[0].key.expose()));
    assert!(!printed.contains(&settings.auth.tokens[0].sha256));
    assert!(!format!("{settings:?}").contains(settings.secrets.keys[0].key.expose()));
}
