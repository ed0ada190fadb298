//! `assets/`: each file as it is and as gzip, with a hash for its URL.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

/// Hex digits of a hash in a URL: enough that no version is taken for another.
const HASH: usize = 10;

/// A table of all files, sorted by name.
pub(crate) fn code() -> String {
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo says where the package is");
    let out = std::env::var("OUT_DIR").expect("cargo says where to write");
    let folder = Path::new(&root).join("assets");
    let entries = fs::read_dir(&folder).expect("assets/ can be read");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("assets/ can be read").path())
        .collect();
    paths.sort();
    let mut code = String::from("pub(crate) static ASSETS: &[Asset] = &[\n");
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.expect("an asset's name is UTF-8");
        let (stem, extension) = name.split_once('.').expect("an asset has an extension");
        let bytes = fs::read(&path).expect("an asset can be read");
        let digest = Sha256::digest(&bytes);
        let hash = digest.iter().map(|byte| format!("{byte:02x}"));
        let hash = hash.collect::<String>().split_off(64 - HASH);
        let packed = Path::new(&out).join(format!("{name}.gz"));
        fs::write(&packed, gzip(&bytes)).expect("a packed asset can be written");
        writeln!(
            code,
            "    Asset {{ name: {name:?}, file: \"{stem}.{hash}.{extension}\", \
             content_type: {:?}, plain: include_bytes!({path:?}), \
             gzip: include_bytes!({packed:?}) }},",
            content_type(extension),
        )
        .expect("text grows");
    }
    code.push_str("];\n");
    code
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    std::io::Write::write_all(&mut encoder, bytes).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

fn content_type(extension: &str) -> &'static str {
    match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        other => panic!("assets/: {other:?} has no content type yet"),
    }
}
