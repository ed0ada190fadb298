//! The shared arguments, flattened into a binary's own.

use clap::Parser;
use service::cli::CommonArgs;

#[derive(Parser)]
struct Args {
    #[command(flatten)]
    common: CommonArgs,
}

#[test]
fn config_may_be_given_several_times_and_keeps_its_order() {
    let args = Args::parse_from([
        "x",
        "--config",
        "a.toml",
        "--config=b.toml",
        "--print-config",
    ]);
    assert_eq!(
        args.common.config,
        ["a.toml", "b.toml"].map(std::path::PathBuf::from)
    );
    assert!(args.common.print_config);
}
