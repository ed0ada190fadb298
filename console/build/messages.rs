//! `messages/<language>.toml` as types: a section is a struct, a text a field, a
//! text with `{placeholders}` a method that takes them, and one with `one` and
//! `other` a method that takes the number first.
//!
//! So a page that uses a text which is not there does not compile, a text that no
//! page uses is a warning of the compiler, and what follows here ends the build
//! where the languages differ.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use toml::Value;

/// Files, and what the language is called in the code.
const LANGUAGES: [(&str, &str); 2] = [("en", "English"), ("de", "German")];

type Section = BTreeMap<String, Text>;

#[derive(PartialEq)]
enum Text {
    Plain(String),
    Counted { one: String, other: String },
}

/// The types, and one static of them for each language.
pub(crate) fn code() -> String {
    let all: Vec<BTreeMap<String, Section>> = LANGUAGES.map(|(file, _)| read(file)).into();
    let (reference, others) = all.split_first().expect("there is a language");
    for other in others {
        compare(reference, other);
    }
    let mut code = String::new();
    types(&mut code, reference);
    for ((file, language), sections) in LANGUAGES.iter().zip(&all) {
        values(&mut code, file, language, sections);
    }
    code
}

fn read(language: &str) -> BTreeMap<String, Section> {
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo says where the package is");
    let path = Path::new(&root).join(format!("messages/{language}.toml"));
    let file = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let table: toml::Table = file
        .parse()
        .unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let mut sections = BTreeMap::new();
    for (section, texts) in table {
        let Value::Table(texts) = texts else {
            panic!("{path:?}: {section} stands in no section");
        };
        let texts = texts.into_iter().map(|(key, value)| {
            let text = text(&value).unwrap_or_else(|| {
                panic!("{path:?}: {section}.{key} is neither a text nor {{one, other}}")
            });
            (key, text)
        });
        let texts = texts.collect();
        sections.insert(section, texts);
    }
    sections
}

fn text(value: &Value) -> Option<Text> {
    if let Some(text) = value.as_str() {
        return Some(Text::Plain(text.to_owned()));
    }
    let forms = value.as_table().filter(|forms| forms.len() == 2)?;
    let form = |name| forms.get(name)?.as_str().map(str::to_owned);
    Some(Text::Counted {
        one: form("one")?,
        other: form("other")?,
    })
}

/// Both have the same keys, and each key the same kind and placeholders.
fn compare(reference: &BTreeMap<String, Section>, other: &BTreeMap<String, Section>) {
    for (one, two) in [(reference, other), (other, reference)] {
        for (section, texts) in one {
            for (key, text) in texts {
                let same = two.get(section).and_then(|texts| texts.get(key));
                let Some(same) = same else {
                    panic!("messages: {section}.{key} is missing in one language");
                };
                let (mut these, mut those) = (text.placeholders(), same.placeholders());
                these.sort();
                those.sort();
                assert!(
                    text.is_counted() == same.is_counted() && these == those,
                    "messages: {section}.{key} takes {these:?} in one language, {those:?} in the other"
                );
            }
        }
    }
}

impl Text {
    fn is_counted(&self) -> bool {
        matches!(self, Self::Counted { .. })
    }

    /// In the order in which they stand; not the number, `n`.
    fn placeholders(&self) -> Vec<String> {
        let texts = match self {
            Self::Plain(text) => vec![text],
            Self::Counted { one, other } => vec![other, one],
        };
        let mut names: Vec<String> = Vec::new();
        for text in texts {
            for part in text.split('{').skip(1) {
                let (name, _) = part
                    .split_once('}')
                    .expect("messages: a brace is not closed");
                let is_number = self.is_counted() && name == "n";
                if !is_number && names.iter().all(|known| known != name) {
                    names.push(name.to_owned());
                }
            }
        }
        names
    }

    fn is_method(&self) -> bool {
        self.is_counted() || !self.placeholders().is_empty()
    }
}

fn types(code: &mut String, sections: &BTreeMap<String, Section>) {
    let mut line = |line: String| {
        code.push_str(&line);
        code.push('\n');
    };
    line("#[derive(Debug)]\npub(crate) struct Messages {".to_owned());
    for section in sections.keys() {
        line(format!("    pub(crate) {section}: {},", type_name(section)));
    }
    line("}".to_owned());
    for (section, texts) in sections {
        let name = type_name(section);
        line(format!("#[derive(Debug)]\npub(crate) struct {name} {{"));
        for (key, text) in texts {
            line(match text {
                Text::Counted { .. } => format!("    {key}_: Counted,"),
                Text::Plain(_) if text.is_method() => format!("    {key}_: &'static str,"),
                Text::Plain(_) => format!("    pub(crate) {key}: &'static str,"),
            });
        }
        line(format!("}}\nimpl {name} {{"));
        for (key, text) in texts.iter().filter(|(_, text)| text.is_method()) {
            let names = text.placeholders();
            let number = if text.is_counted() { ", n: u64" } else { "" };
            let arguments: String = names
                .iter()
                .map(|name| format!(", {name}: impl Display"))
                .collect();
            let pairs: String = names
                .iter()
                .map(|name| format!("({name:?}, &{name}), "))
                .collect();
            let call = if text.is_counted() {
                format!("self.{key}_.of(n, &[{pairs}])")
            } else {
                format!("fill(self.{key}_, &[{pairs}])")
            };
            line(format!(
                "    pub(crate) fn {key}(&self{number}{arguments}) -> String {{ {call} }}"
            ));
        }
        line("}".to_owned());
    }
}

fn values(code: &mut String, file: &str, language: &str, sections: &BTreeMap<String, Section>) {
    let name = file.to_uppercase();
    writeln!(code, "pub(crate) static {name}: Messages = Messages {{").expect("text grows");
    for (section, texts) in sections {
        writeln!(code, "    {section}: {} {{", type_name(section)).expect("text grows");
        for (key, text) in texts {
            let field = match text {
                Text::Counted { one, other } => format!(
                    "{key}_: Counted {{ language: Language::{language}, one: {one:?}, other: {other:?} }}"
                ),
                Text::Plain(value) if text.is_method() => format!("{key}_: {value:?}"),
                Text::Plain(value) => format!("{key}: {value:?}"),
            };
            writeln!(code, "        {field},").expect("text grows");
        }
        code.push_str("    },\n");
    }
    code.push_str("};\n");
}

/// `secret_panel` is `SecretPanel`.
fn type_name(section: &str) -> String {
    let words = section.split('_').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect()
}
