//! Refusals that many operations have in common stand in the document once.

use serde_json::{Map, Value, json};

/// Moves responses that stand more than once under `paths` to the components, by the
/// names of their statuses.
pub(super) fn responses(paths: &mut Map<String, Value>) -> Map<String, Value> {
    let mut seen: Vec<(String, Value, usize)> = Vec::new();
    each_refusal(paths, |status, response| {
        match seen.iter_mut().find(|(_, known, _)| known == response) {
            Some((_, _, times)) => *times += 1,
            None => seen.push((status.to_owned(), response.clone(), 1)),
        }
    });
    let mut shared = Map::new();
    for (status, response, _) in seen.into_iter().filter(|(_, _, times)| *times > 1) {
        let number = (1..).find(|number| !shared.contains_key(&name(&status, *number)));
        shared.insert(name(&status, number.unwrap_or_default()), response);
    }
    each_refusal(paths, |_, response| {
        let same = shared.iter().find(|(_, known)| *known == response);
        if let Some((name, _)) = same {
            *response = json!({"$ref": format!("#/components/responses/{name}")});
        }
    });
    shared
}

fn name(status: &str, number: usize) -> String {
    let status = status.parse::<http::StatusCode>().ok();
    let reason = status.and_then(|status| status.canonical_reason());
    let reason = reason.unwrap_or("Problem").replace(' ', "");
    if number == 1 {
        reason
    } else {
        format!("{reason}{number}")
    }
}

fn each_refusal(paths: &mut Map<String, Value>, mut act: impl FnMut(&str, &mut Value)) {
    let operations = paths.values_mut().filter_map(Value::as_object_mut);
    let responses = operations
        .flat_map(Map::values_mut)
        .filter_map(|operation| operation.get_mut("responses")?.as_object_mut());
    for (status, response) in responses.flatten() {
        if status.starts_with(['4', '5']) {
            act(status, response);
        }
    }
}
