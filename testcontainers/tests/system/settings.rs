//! Wrong settings end a binary with exit code 64 and the key's name.

use std::time::Duration;

use e2e::{Binary, Broker, Stack, command::finish, service::run};

const SOON: Duration = Duration::from_secs(60);
const ALL: [Binary; 4] = [
    Binary::Producer,
    Binary::Dispatcher,
    Binary::DlqConsumer,
    Binary::Console,
];

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_setting_is_named_with_what_is_allowed() {
    for (binary, key, value) in [
        (Binary::Producer, "kafka.propertis", toml::Value::from("x")),
        (Binary::Producer, "http.listen", "nowhere".into()),
        (
            Binary::Dispatcher,
            "retry.schedule",
            vec!["2m", "1m"].into(),
        ),
        (Binary::Dispatcher, "limits.endpoint_start", 100.into()),
        (
            Binary::Dispatcher,
            "secrets.keys",
            toml::Value::Array(Vec::new()),
        ),
        (
            Binary::Console,
            "secrets.keys",
            toml::Value::Array(Vec::new()),
        ),
        (
            Binary::Dispatcher,
            "traces.endpoint",
            "collector:4318".into(),
        ),
        (
            Binary::Producer,
            "traces.endpoint",
            "http://user:password@collector".into(),
        ),
        (Binary::Producer, "traces.sampled", 1.5.into()),
        (Binary::DlqConsumer, "log.format", "xml".into()),
    ] {
        let settings = Stack::builder().settings(binary).await.set(key, value);
        let ended = run(binary, &settings, &[], b"", SOON).await;
        assert_eq!(ended.code, Some(64), "{key}: {}", ended.stderr);
        assert!(ended.stderr.contains(key), "{key}: {}", ended.stderr);
        assert!(ended.stderr.contains("allowed"), "{key}: {}", ended.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_binary_says_what_it_does_with_examples() {
    for (binary, purpose) in [
        (Binary::Producer, "Takes events in"),
        (Binary::Dispatcher, "Sends events"),
        (Binary::DlqConsumer, "failed list"),
        (Binary::Console, "the console"),
    ] {
        let settings = Stack::builder().settings(binary).await;
        let ended = run(binary, &settings, &["--help"], b"", SOON).await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        for wanted in [purpose, "Examples:", "Exit codes:"] {
            assert!(ended.stdout.contains(wanted), "{wanted}: {}", ended.stdout);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_in_force_are_printed_with_secrets_masked() {
    for binary in ALL {
        let settings = Stack::builder().settings(binary).await.set(
            "kafka.properties",
            toml::Table::from_iter([(
                "sasl.password".to_owned(),
                toml::Value::from("correct horse"),
            )]),
        );
        let ended = run(binary, &settings, &["--print-config"], b"", SOON).await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stdout.contains("********"), "{}", ended.stdout);
        assert!(!ended.stdout.contains("correct horse"), "{}", ended.stdout);
        toml::from_str::<toml::Table>(&ended.stdout).expect("it prints TOML");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_cannot_be_used_is_named_with_how_it_differs() {
    let broker = Broker::shared().await;
    for (binary, topic) in [
        (Binary::Dispatcher, "webhooks.endpoints"),
        (Binary::Console, "webhooks.endpoints"),
        (Binary::DlqConsumer, "webhooks.dead-letter"),
    ] {
        let settings = Stack::builder().settings(binary).await;
        let prefix = settings
            .get("kafka.prefix")
            .and_then(|p| p.as_str())
            .expect("it is set");
        let topic = format!("{prefix}{topic}");
        broker.create_topic(&topic, 3).await;
        let ended = run(binary, &settings, &[], b"", SOON).await;
        assert_eq!(ended.code, Some(64), "{}", ended.stderr);
        assert!(ended.stderr.contains(&topic), "{}", ended.stderr);
        assert!(ended.stderr.contains("3 partitions"), "{}", ended.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_others_make_topics_what_is_missing_is_named() {
    for (binary, topic) in [
        (Binary::Producer, "feedback.events"),
        (Binary::Dispatcher, "webhooks.retry.15s"),
        (Binary::Console, "webhooks.endpoints"),
        (Binary::DlqConsumer, "webhooks.dead-letter"),
    ] {
        let settings = Stack::builder()
            .settings(binary)
            .await
            .set("topics.create", false);
        let ended = run(binary, &settings, &[], b"", SOON).await;
        assert_eq!(ended.code, Some(64), "{}", ended.stderr);
        assert!(ended.stderr.contains(topic), "{}", ended.stderr);
        assert!(ended.stderr.contains("--create"), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn the_settings_to_deploy_with_can_be_read() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/settings");
    for binary in ALL {
        let own = format!("{}.toml", binary.name());
        let mut command = std::process::Command::new(binary.path());
        command
            .arg("--config")
            .arg(folder.join("common.toml"))
            .arg("--config")
            .arg(folder.join(own))
            .arg("--print-config");
        let ended = finish(&mut command, SOON).await;
        assert_eq!(ended.code, Some(0), "{}: {}", binary.name(), ended.stderr);
        assert!(ended.stdout.contains("production."), "{}", ended.stdout);
    }
}
