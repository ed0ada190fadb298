//! Layers of settings, and what is said about a wrong one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use service::settings::{
    AdminSettings, AuthSettings, KafkaSettings, LogFormat, LogSettings, Masked, SettingsError,
    TopicsSettings, load_from, print,
};

const DEFAULTS: &str = r#"
[kafka]
brokers = "127.0.0.1:9092"
prefix = ""
[kafka.properties]
"security.protocol" = "plaintext"
"sasl.password" = ""
[topics]
create = true
replication = -1
[topics.names]
events = "feedback.events"
dead_letter = "webhooks.dead-letter"
[log]
format = "json"
level = "info"
[admin]
listen = "0.0.0.0:9090"
[auth]
tokens = []
[work]
limit = 64
ratio = 0.5
time = "5s"
schedule = ["15s", "2m"]
deny = ["10.0.0.0/8"]
password = ""
code = "x"
"#;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    kafka: KafkaSettings,
    topics: TopicsSettings,
    log: LogSettings,
    admin: AdminSettings,
    auth: AuthSettings,
    work: Work,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Work {
    limit: u16,
    ratio: f64,
    #[serde(with = "service::settings::duration")]
    time: Duration,
    #[serde(with = "service::settings::durations")]
    schedule: Vec<Duration>,
    deny: Vec<String>,
    password: Masked,
    code: String,
}

fn file(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("settings-{}-{name}.toml", std::process::id()));
    std::fs::write(&path, text).expect("a writable temporary folder");
    path
}

fn with_env(env: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let env: HashMap<String, String> = env
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    load_from(DEFAULTS, &[], env)
}

fn with_file(name: &str, text: &str) -> Result<Settings, SettingsError> {
    load_from(DEFAULTS, &[file(name, text)], HashMap::new())
}

#[test]
fn the_defaults_alone_are_settings() {
    let settings = with_env(&[("PATH", "/bin"), ("FEEDBACKPRO_OTHER", "1")]).unwrap();
    assert_eq!(settings.kafka.brokers, "127.0.0.1:9092");
    assert_eq!(settings.log.format, LogFormat::Json);
    assert_eq!(settings.admin.listen.port(), 9090);
    assert_eq!(
        settings.work.schedule,
        [Duration::from_secs(15), Duration::from_secs(120)]
    );
}

#[test]
fn later_files_win_over_earlier_ones_and_the_environment_over_both() {
    let files = [
        file(
            "first",
            "[work]\nlimit = 1\ncode = \"first\"\n[log]\nlevel = \"debug\"",
        ),
        file("second", "[work]\nlimit = 2\nschedule = [\"1s\"]"),
    ];
    let env = HashMap::from([("FEEDBACKPRO__WORK__CODE".to_owned(), "env".to_owned())]);
    let settings: Settings = load_from(DEFAULTS, &files, env).unwrap();
    assert_eq!(settings.work.limit, 2);
    assert_eq!(settings.work.code, "env");
    assert_eq!(settings.log.level, "debug");
    assert_eq!(settings.work.schedule, [Duration::from_secs(1)]);
    assert_eq!(settings.work.time, Duration::from_secs(5), "others stay");
}

#[test]
fn librdkafka_properties_keep_their_dots_in_every_layer() {
    let path = file(
        "dots",
        "[kafka.properties]\n\"sasl.mechanism\" = \"PLAIN\"\n\"security.protocol\" = \"ssl\"",
    );
    let env = HashMap::from([(
        "FEEDBACKPRO__KAFKA__PROPERTIES__SECURITY_PROTOCOL".to_owned(),
        "SASL_SSL".to_owned(),
    )]);
    let settings: Settings = load_from(DEFAULTS, &[path], env).unwrap();
    let properties = settings.kafka.properties;
    assert_eq!(properties["security.protocol"], "SASL_SSL");
    assert_eq!(properties["sasl.mechanism"], "PLAIN");
    assert_eq!(properties.len(), 3, "{properties:?}");
}

#[test]
fn the_environment_is_read_as_what_the_key_takes() {
    let settings = with_env(&[
        ("FEEDBACKPRO__WORK__LIMIT", "7"),
        ("FEEDBACKPRO__WORK__RATIO", "0.25"),
        ("FEEDBACKPRO__WORK__PASSWORD", "1234"),
        ("FEEDBACKPRO__WORK__CODE", "true"),
        ("FEEDBACKPRO__WORK__TIME", "250ms"),
        ("FEEDBACKPRO__WORK__SCHEDULE", "1s, 1h"),
        ("FEEDBACKPRO__WORK__DENY", "[\"192.0.2.0/24\"]"),
        ("FEEDBACKPRO__TOPICS__CREATE", "false"),
        ("FEEDBACKPRO__TOPICS__REPLICATION", "3"),
        ("FEEDBACKPRO__TOPICS__NAMES__DEAD_LETTER", "dead"),
        ("FEEDBACKPRO__KAFKA__PROPERTIES__SASL_PASSWORD", "0007"),
        (
            "FEEDBACKPRO__AUTH__TOKENS",
            r#"[{ id = "ops", role = "operator", sha256 = "00" }]"#,
        ),
    ])
    .unwrap();
    assert_eq!(settings.work.limit, 7);
    assert_eq!(settings.work.ratio, 0.25);
    assert_eq!(settings.work.password.expose(), "1234");
    assert_eq!(settings.work.code, "true");
    assert_eq!(settings.work.time, Duration::from_millis(250));
    assert_eq!(
        settings.work.schedule,
        [Duration::from_secs(1), Duration::from_secs(3600)]
    );
    assert_eq!(settings.work.deny, ["192.0.2.0/24"]);
    assert!(!settings.topics.create);
    assert_eq!(settings.topics.replication, 3);
    assert_eq!(settings.topics.names["dead_letter"], "dead");
    assert_eq!(settings.kafka.properties["sasl.password"], "0007");
    assert_eq!(settings.auth.tokens[0].id, "ops");
    let empty = with_env(&[("FEEDBACKPRO__WORK__DENY", "")]).unwrap();
    assert!(empty.work.deny.is_empty());
}

#[test]
fn what_is_printed_is_toml_that_reads_back_with_secrets_masked() {
    let hash = "ab".repeat(32);
    let tokens = format!("[{{ id = \"ops\", role = \"operator\", sha256 = \"{hash}\" }}]");
    let settings = with_env(&[
        ("FEEDBACKPRO__WORK__PASSWORD", "hunter2"),
        ("FEEDBACKPRO__KAFKA__PROPERTIES__SASL_PASSWORD", "hunter3"),
        ("FEEDBACKPRO__KAFKA__PROPERTIES__SSL_KEY_PEM", "hunter4"),
        ("FEEDBACKPRO__AUTH__TOKENS", &tokens),
    ])
    .unwrap();
    let text = print(&settings);
    for shown in [&text, &format!("{:?}", settings.kafka)] {
        assert!(!shown.contains("hunter"), "{shown}");
        assert!(shown.contains("********"), "{shown}");
    }
    assert!(!text.contains(&hash), "{text}");
    assert!(text.contains("schedule = [\"15s\", \"2m\"]"), "{text}");
    assert!(text.contains("time = \"5s\""), "{text}");
    assert!(
        text.contains("\"security.protocol\" = \"plaintext\""),
        "{text}"
    );
    let again: Settings = load_from(&text, &[], HashMap::new()).unwrap();
    assert_eq!(again.topics, settings.topics);

    // No property of librdkafka, which only its check tells.
    let misspelt = "[kafka.properties]\n\"SASL.Password\" = \"hunter5\"";
    let text = print(&with_file("misspelt", misspelt).unwrap());
    assert!(text.contains("\"SASL.Password\" = \"********\""), "{text}");
}

/// Asserts on the whole text, so that it reads well as a whole.
#[track_caller]
fn says(result: Result<Settings, SettingsError>, text: &str) {
    assert_eq!(result.expect_err("wrong settings").to_string(), text);
}

#[test]
fn a_wrong_setting_is_told_with_key_value_place_and_what_is_allowed() {
    says(
        with_env(&[("FEEDBACKPRO__WORK__LIMIT", "70000")]),
        "work.limit: found \"70000\" in the environment; allowed: a whole number from 0 to \
         65535. Correct FEEDBACKPRO__WORK__LIMIT.",
    );
    says(
        with_env(&[("FEEDBACKPRO__WORK__TIME", "5 s")]),
        "work.time: found \"5 s\" in the environment; allowed: a duration in quotes: a whole \
         number and ms, s, m or h, such as \"15s\". Correct FEEDBACKPRO__WORK__TIME.",
    );
    says(
        with_env(&[("FEEDBACKPRO__LOG__FORMAT", "xml")]),
        "log.format: found \"xml\" in the environment; allowed: json, human. Correct \
         FEEDBACKPRO__LOG__FORMAT.",
    );
    for level in ["loud", "", "info,", "kafka=loud", "=info", "warning"] {
        says(
            with_env(&[("FEEDBACKPRO__LOG__LEVEL", level)]),
            &format!(
                "log.level: found \"{level}\" in the environment; allowed: error, warn, info, \
                 debug or trace, also by module: info,rdkafka=warn. Correct \
                 FEEDBACKPRO__LOG__LEVEL."
            ),
        );
    }
    for level in [
        "off",
        "INFO",
        "info,rdkafka=warn",
        "warn, producer::api=trace",
    ] {
        let settings = with_env(&[("FEEDBACKPRO__LOG__LEVEL", level)]).unwrap();
        assert_eq!(settings.log.level, level);
    }
    says(
        with_env(&[("FEEDBACKPRO__LOG__LEVLE", "info")]),
        "log.levle: found an unknown key in the environment; allowed: the keys format, level. \
         Correct FEEDBACKPRO__LOG__LEVLE.",
    );
    says(
        with_env(&[("FEEDBACKPRO__TOPICS__REPLICATION", "0")]),
        "topics.replication: found \"0\" in the environment; allowed: -1 (the broker's \
         default) or 1 to 32767. Correct FEEDBACKPRO__TOPICS__REPLICATION.",
    );
    says(
        with_env(&[("FEEDBACKPRO__TOPICS__NAMES__EVENTS", "a b")]),
        "topics.names.events: found \"a b\" in the environment; allowed: 1 to 120 letters, \
         digits, dots, underscores and hyphens. Correct FEEDBACKPRO__TOPICS__NAMES__EVENTS.",
    );
    says(
        with_env(&[("FEEDBACKPRO__ADMIN__LISTEN", "9090")]),
        "admin.listen: found \"9090\" in the environment; allowed: an IP address and a port, \
         such as \"0.0.0.0:8081\" or \"[::]:8081\". Correct FEEDBACKPRO__ADMIN__LISTEN.",
    );
    says(
        with_env(&[("FEEDBACKPRO__LIMIT", "1")]),
        "--config: found FEEDBACKPRO__LIMIT in the environment; allowed: \
         FEEDBACKPRO__SECTION__KEY.",
    );
}

#[test]
fn types_in_files_are_strict_and_the_file_is_named() {
    for (name, text, key, found, allowed) in [
        (
            "float",
            "[work]\nlimit = 5.7",
            "work.limit",
            "5.7",
            "a whole number from 0 to 65535",
        ),
        (
            "bool",
            "[topics]\ncreate = 1",
            "topics.create",
            "1",
            "true or false",
        ),
        ("number", "[work]\ncode = 5", "work.code", "5", "a string"),
        (
            "quoted",
            "[work]\nlimit = \"5\"",
            "work.limit",
            "\"5\"",
            "a whole number from 0 to 65535",
        ),
        (
            "item",
            "[work]\ndeny = [\"a\", 2]",
            "work.deny[1]",
            "2",
            "a string",
        ),
    ] {
        let error = with_file(name, text).unwrap_err();
        let path = file(name, text);
        let expected = format!(
            "{key}: found {found} in {}; allowed: {allowed}. Correct it there.",
            path.display()
        );
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.key(), key);
    }
}

#[test]
fn a_missing_or_misplaced_table_is_told() {
    let without = DEFAULTS.replace("level = \"info\"", "");
    let missing = load_from::<Settings>(&without, &[], HashMap::new());
    says(
        missing,
        "log.level: found nothing; allowed: a value, this key must be set. Set it in a \
         --config file or by FEEDBACKPRO__LOG__LEVEL.",
    );
    let error = with_file("table", "log = \"info\"")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("a table with the keys format, level"),
        "{error}"
    );
    let error = with_file("names", "[topics.names]\nevent = \"x\"").unwrap_err();
    assert_eq!(error.key(), "topics.names.event");
    assert!(error.to_string().contains("dead_letter"), "{error}");
}

#[test]
fn a_secret_is_not_told_whatever_is_wrong_with_it() {
    for text in [
        "[work]\npassword = 987654",
        "[work]\npassword = [\"987654\"]",
        "[kafka.properties]\n\"sasl.password\" = 987654",
        "[work]\npassword = \"987654",
        "[[auth.tokens]]\nid = \"a\"\nrole = \"account\"\nsha256 = 987654",
    ] {
        let error = with_file("secret", text).unwrap_err();
        for shown in [error.to_string(), format!("{error:?}")] {
            assert!(!shown.contains("987654"), "{shown}");
        }
    }
}

#[test]
fn a_file_that_is_missing_or_not_toml_is_told_with_its_line() {
    let error = load_from::<Settings>(DEFAULTS, &["/no/such.toml".into()], HashMap::new());
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("--config: found /no/such.toml: "),
        "{error}"
    );
    let error = with_file("broken", "[work]\nlimit = 1\nlimit = 2\n").unwrap_err();
    assert!(
        error.to_string().contains("line 3: duplicate key"),
        "{error}"
    );
}

#[test]
fn durations_read_and_print_in_one_form() {
    use service::settings::duration::{parse, text};
    for form in ["250ms", "15s", "2m", "1h", "6h", "0s", "72h"] {
        assert_eq!(text(parse(form).unwrap()), form);
    }
    assert_eq!(text(Duration::from_secs(120)), "2m");
    assert_eq!(text(Duration::from_millis(1500)), "1500ms");
    for wrong in [
        "",
        "15",
        "s",
        "1.5s",
        "-1s",
        " 1s",
        "1d",
        "99999999999999999999h",
        "1ſ",
    ] {
        assert_eq!(parse(wrong), None, "{wrong}");
    }
}
