//! `cargo run -p xtask -- COMMAND`: the project's checks of itself.

use std::process::ExitCode;

use anyhow::{Result, bail};
use xtask::{openapi, report, root, tidy};

const HELP: &str = "\
cargo run -p xtask -- COMMAND
  tidy               crate edges, file sizes, forbidden words, migrations, READMEs, links
  openapi FILE       whether an OpenAPI document is whole and consistent
";

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("xtask: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["tidy"] => Ok(report(&tidy(&root()?)?)),
        ["openapi", file] => Ok(report(&openapi::check(file.as_ref())?)),
        [] | ["help" | "--help" | "-h"] => {
            eprint!("{HELP}");
            Ok(true)
        }
        other => bail!("there is no command `{}`\n{HELP}", other.join(" ")),
    }
}
