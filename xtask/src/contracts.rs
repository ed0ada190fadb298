//! Which contracts there are, and whether the committed ones are current.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use domain::{EventKind, schema};
use serde_json::{Value, json};

use crate::{asyncapi, json, openapi, postman};

/// A generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// Where it lies, below `api/`.
    pub path: PathBuf,
    /// What it holds.
    pub text: String,
}

/// All contracts, as the Rust types say them now.
#[must_use]
pub fn generate() -> Vec<Contract> {
    let mut contracts: Vec<Contract> = EventKind::ALL
        .into_iter()
        .map(|kind| of_schema(kind.as_str(), schema::delivered(kind)))
        .collect();
    contracts.push(of_schema("submission", schema::submission()));
    let documents = [
        ("openapi.json", openapi::document()),
        ("postman.json", postman::document()),
        ("asyncapi.json", asyncapi::document()),
    ];
    contracts.extend(documents.map(|(path, document)| Contract {
        path: path.into(),
        text: json::text(&document),
    }));
    contracts
}

fn of_schema(name: &str, schema: Value) -> Contract {
    let mut whole = json!({"$schema": META_SCHEMA});
    if let (Value::Object(whole), Value::Object(schema)) = (&mut whole, schema) {
        whole.extend(schema);
    }
    Contract {
        path: Path::new(SCHEMAS).join(format!("{name}.schema.json")),
        text: format!("{whole:#}\n"),
    }
}

const META_SCHEMA: &str = "https://json-schema.org/draft/2020-12/schema";

/// The folder that holds generated schemas and nothing else.
const SCHEMAS: &str = "schemas";

/// How a committed file differs from the generated one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It is not there.
    Missing(Contract),
    /// It holds something else.
    Outdated(Contract),
    /// No type stands behind it.
    Unknown(PathBuf),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(contract) => write!(f, "{}: missing", contract.path.display()),
            Self::Outdated(contract) => write!(f, "{}: outdated", contract.path.display()),
            Self::Unknown(path) => write!(f, "{}: not generated", path.display()),
        }
    }
}

/// Compares what lies in `api` with what the types say.
///
/// # Errors
/// When the folder or a file in it cannot be read.
pub fn differences(api: &Path) -> io::Result<Vec<Difference>> {
    let contracts = generate();
    let mut unknown = files(api, Path::new(SCHEMAS))?;
    unknown.retain(|path| contracts.iter().all(|contract| contract.path != *path));
    let mut differences: Vec<Difference> = unknown.into_iter().map(Difference::Unknown).collect();
    for contract in contracts {
        match fs::read_to_string(api.join(&contract.path)) {
            Ok(committed) if committed == contract.text => {}
            Ok(_) => differences.push(Difference::Outdated(contract)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                differences.push(Difference::Missing(contract));
            }
            Err(e) => return Err(e),
        }
    }
    Ok(differences)
}

/// Makes the files in `api` what the types say.
///
/// # Errors
/// When a file cannot be written or removed.
pub fn write(api: &Path, differences: &[Difference]) -> io::Result<()> {
    fs::create_dir_all(api.join(SCHEMAS))?;
    for difference in differences {
        match difference {
            Difference::Missing(contract) | Difference::Outdated(contract) => {
                fs::write(api.join(&contract.path), &contract.text)?;
            }
            Difference::Unknown(path) => fs::remove_file(api.join(path))?,
        }
    }
    Ok(())
}

/// The files of a folder in `api`, in order; none where there is no folder.
fn files(api: &Path, folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(api.join(folder)) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut files = entries
        .map(|entry| entry.map(|entry| folder.join(entry.file_name())))
        .collect::<io::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}
