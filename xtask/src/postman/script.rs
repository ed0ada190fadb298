//! What runs before and after a request.

use serde_json::{Value, json};
use service::contract::Operation;

/// The scripts of a request: it is skipped where what it needs is not known, its status is
/// checked, and what later requests need is kept.
pub(super) fn events(operation: &Operation) -> Value {
    let needed: Vec<&str> = operation
        .parameters
        .iter()
        .filter_map(|it| it.variable)
        .collect();
    let expected = super::expected(operation);
    let mut after = vec![format!(
        "pm.test(\"The answer is one of {expected:?}\", () => \
         pm.expect(pm.response.code).to.be.oneOf({expected:?}));"
    )];
    for answer in &operation.answers {
        let status = answer.status.as_u16();
        let keeps = answer.kept.iter().map(|kept| {
            let steps: String = kept
                .pointer
                .split('/')
                .skip(1)
                .map(|step| match step.parse::<usize>() {
                    Ok(index) => format!("?.[{index}]"),
                    Err(_) => format!("?.{step}"),
                })
                .collect();
            format!(
                "if (pm.response.code === {status}) {{ \
                 pm.collectionVariables.set(\"{}\", pm.response.json(){steps}); }}",
                kept.variable
            )
        });
        after.extend(keeps);
    }
    let mut events = Vec::new();
    if !needed.is_empty() {
        events.push(needs(needed));
    }
    events.push(event("test", after));
    events.into()
}

/// Skips the request where one of these variables has no value.
pub(super) fn needs(variables: impl IntoIterator<Item = &'static str>) -> Value {
    let skip = |variable| {
        format!("if (!pm.variables.get(\"{variable}\")) {{ pm.execution.skipRequest(); }}")
    };
    event("prerequest", variables.into_iter().map(skip).collect())
}

fn event(listen: &str, lines: Vec<String>) -> Value {
    json!({"listen": listen, "script": {"type": "text/javascript", "exec": lines}})
}
