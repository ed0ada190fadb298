//! Values against JSON Schemas.

use e2e::Folder;
use serde_json::{Map, Value, json};

/// What is to be checked, all at once.
#[derive(Default)]
pub(super) struct Checks(Vec<Value>);

impl Checks {
    /// The value must be as the schema says; `shown` names it.
    pub(super) fn add(&mut self, schema: &Value, value: Value, shown: &str) {
        self.0
            .push(json!({"schema": schema, "value": value, "shown": shown}));
    }

    /// # Panics
    /// When a value is not as its schema says.
    pub(super) async fn run(self, components: &Value) {
        assert!(!self.0.is_empty(), "there is nothing to be checked");
        let all = json!({"components": components, "checks": self.0});
        let folder = Folder::new();
        let file = folder.write("checks.json", &all.to_string());
        let file = file.to_str().expect("the path is UTF-8");
        let run = e2e::node("node/fits.mjs", &[file]).await;
        assert_eq!(run.code, Some(0), "{}", run.told());
    }
}

/// Fields that are not described are wrong, too, however open the document is to more.
pub(super) fn close(schemas: &mut Value) {
    for schema in schemas
        .as_object_mut()
        .into_iter()
        .flat_map(Map::values_mut)
    {
        if schema["type"] == "object" && schema.get("additionalProperties").is_none() {
            schema["unevaluatedProperties"] = false.into();
        }
    }
}
