//! JSON as it is committed: what fits on a line stands on one, so that a change of a
//! contract is a change of few lines.

use serde_json::Value;

/// Columns of a line.
const WIDTH: usize = 100;

/// The text of a file.
pub(crate) fn text(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, 0, &mut out);
    out.push('\n');
    out
}

/// Writes `value` where `used` columns of a line are taken; further lines of it are indented
/// by two more than `indent`.
fn write(value: &Value, indent: usize, used: usize, out: &mut String) {
    let line = one_line(value);
    if used + line.chars().count() < WIDTH {
        out.push_str(&line);
        return;
    }
    let inner = indent + 2;
    let parts: Vec<(String, &Value)> = match value {
        Value::Object(fields) => {
            let name = |name: &String| format!("{}: ", Value::from(name.as_str()));
            fields
                .iter()
                .map(|(key, value)| (name(key), value))
                .collect()
        }
        Value::Array(items) => items.iter().map(|item| (String::new(), item)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    if parts.is_empty() {
        out.push_str(&line);
        return;
    }
    let (open, close) = if value.is_object() {
        ("{", "}")
    } else {
        ("[", "]")
    };
    let mut before = open;
    for (name, value) in parts {
        out.push_str(before);
        before = ",";
        new_line(inner, out);
        out.push_str(&name);
        write(value, inner, inner + name.chars().count(), out);
    }
    new_line(indent, out);
    out.push_str(close);
}

fn new_line(indent: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}

fn one_line(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| {
                format!("{}: {}", Value::from(name.as_str()), one_line(value))
            };
            let fields: Vec<String> = fields.iter().map(field).collect();
            format!("{{{}}}", fields.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(one_line).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}
