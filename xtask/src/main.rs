//! `cargo xtask <chore>`.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use xtask::contracts;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Chores of this repository")]
struct Args {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Generate the contracts under api/ from the Rust types
    Contracts {
        /// Write nothing; exit with 1 where the committed files differ
        #[arg(long)]
        check: bool,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    let Chore::Contracts { check } = Args::parse().chore;
    let api = repository().join("api");
    let differences = contracts::differences(&api)
        .with_context(|| format!("the contracts under {} cannot be read", api.display()))?;
    let mut out = std::io::stdout().lock();
    for difference in &differences {
        writeln!(out, "api/{difference}")?;
    }
    if check && !differences.is_empty() {
        writeln!(out, "run `cargo xtask contracts` and commit what it writes")?;
        return Ok(ExitCode::FAILURE);
    }
    if !check {
        contracts::write(&api, &differences)
            .with_context(|| format!("the contracts cannot be written to {}", api.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Where the workspace lies: this package is one of its folders.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
