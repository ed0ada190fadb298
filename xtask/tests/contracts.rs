//! The committed contracts are those that the types say.

#![cfg(test)]

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use domain::{EventData, EventKind, Submission};
use serde_json::Value;
use xtask::contracts::{Difference, differences, generate, write};

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../api")
}

/// A folder of its own for one test, removed when it ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("contracts-{name}-{}", std::process::id()));
        match fs::remove_dir_all(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => panic!("{}: {e}", path.display()),
            _ => {}
        }
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap_or_default();
    }
}

fn schema(name: &str) -> Value {
    let text = generate()
        .into_iter()
        .find(|contract| contract.path.ends_with(format!("{name}.schema.json")))
        .unwrap()
        .text;
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_committed_contracts_are_current() {
    let differences: Vec<String> = differences(&committed())
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(
        differences.is_empty(),
        "run `cargo xtask contracts` and commit what it writes: {differences:?}"
    );
}

#[test]
fn a_changed_a_missing_and_an_unknown_file_are_found_and_put_right() {
    let folder = Folder::new("differ");
    write(&folder.0, &differences(&folder.0).unwrap()).unwrap();
    assert_eq!(differences(&folder.0).unwrap(), []);

    let schemas = folder.0.join("schemas");
    fs::write(schemas.join("new_feedback.schema.json"), "{}\n").unwrap();
    fs::remove_file(schemas.join("nps_calculated.schema.json")).unwrap();
    fs::write(schemas.join("purchase.schema.json"), "{}\n").unwrap();
    let found = differences(&folder.0).unwrap();
    let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "schemas/purchase.schema.json: not generated",
            "schemas/new_feedback.schema.json: outdated",
            "schemas/nps_calculated.schema.json: missing",
        ]
    );
    assert!(matches!(found[0], Difference::Unknown(_)));

    write(&folder.0, &found).unwrap();
    assert_eq!(differences(&folder.0).unwrap(), []);
}

#[test]
fn a_delivered_event_has_every_field_in_the_order_of_its_bytes() {
    for kind in EventKind::ALL {
        let schema = schema(kind.as_str());
        let data = &schema["properties"]["data"];
        assert_eq!(
            schema["required"],
            serde_json::json!(["event", "id", "timestamp", "data"])
        );
        for object in [&schema, data] {
            assert_eq!(object["additionalProperties"], false);
            let properties: Vec<&String> =
                object["properties"].as_object().unwrap().keys().collect();
            assert_eq!(object["required"], serde_json::json!(properties));
        }
        let example = serde_json::to_value(EventData::example(kind)).unwrap();
        let fields: Vec<&String> = example.as_object().unwrap().keys().collect();
        assert_eq!(data["required"], serde_json::json!(fields));
        assert_eq!(schema["properties"]["event"]["const"], kind.as_str());
    }
}

#[test]
fn what_is_nullable_in_a_delivery_is_what_may_be_missing_in_a_submission() {
    let submission = schema("submission");
    for (kind, submitted) in EventKind::ALL
        .into_iter()
        .zip(submission["oneOf"].as_array().unwrap())
    {
        let delivered = schema(kind.as_str());
        let properties = delivered["properties"]["data"]["properties"]
            .as_object()
            .unwrap();
        for (name, field) in properties {
            let nullable = field["type"]
                .as_array()
                .is_some_and(|types| types.contains(&Value::from("null")));
            let required = submitted["properties"]["data"]["required"]
                .as_array()
                .unwrap()
                .contains(&Value::from(name.as_str()));
            assert_ne!(nullable, required, "{kind}.{name}");
            // The parser has the last word.
            let mut input = serde_json::json!({"event": kind, "data": EventData::example(kind)});
            input["data"].as_object_mut().unwrap().shift_remove(name);
            let parsed = Submission::parse(input.to_string().as_bytes());
            assert_eq!(parsed.is_ok(), nullable, "{kind}.{name}");
        }
    }
}
