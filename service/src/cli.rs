//! The arguments that every binary takes.

use std::path::PathBuf;

/// Flatten this into a binary's own arguments with `#[command(flatten)]`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct CommonArgs {
    /// Settings file (TOML) over the defaults; may be given several times, the last one wins
    #[arg(long = "config", value_name = "FILE")]
    pub config: Vec<PathBuf>,

    /// Print the settings in force, with secrets masked, and exit
    #[arg(long)]
    pub print_config: bool,
}
