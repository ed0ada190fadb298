//! Made before the console is compiled: the messages of `messages/` as types,
//! and the files of `assets/` with their hashes, packed.

#![expect(clippy::print_stdout, reason = "cargo reads it")]

#[path = "assets.rs"]
mod assets;
#[path = "messages.rs"]
mod messages;

use std::path::PathBuf;

fn main() {
    let out = std::env::var_os("OUT_DIR").map(PathBuf::from);
    let out = out.expect("cargo says where to write");
    for (folder, file, code) in [
        ("messages", "messages.rs", messages::code as fn() -> String),
        ("assets", "assets.rs", assets::code),
    ] {
        println!("cargo::rerun-if-changed={folder}");
        let path = out.join(file);
        std::fs::write(&path, code()).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    }
    println!("cargo::rerun-if-changed=build");
}
