//! The `tidemill` program.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use server::cli::{Cli, Command, admin_config};
use server::{admin, serve};

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        // A job's sandbox forks and enters namespaces, which must happen before there are threads.
        Command::JobInit => sandbox::init_main(),
        command => tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(anyhow::Error::from)
            .and_then(|runtime| runtime.block_on(run(command))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            let _nobody_reads = writeln!(std::io::stderr(), "tidemill: {e:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    let _already_there = rustls::crypto::ring::default_provider().install_default();
    match command {
        Command::Serve(options) => {
            serve::start_log();
            serve::serve(options.into_config()?).await
        }
        Command::Admin { data, database, action } => admin::run(admin_config(&data, database)?, action).await,
        Command::Hook { name } => anyhow::bail!("no hook is called {name}"),
        Command::JobInit => unreachable!("handled before the runtime starts"),
    }
}
