//! The `lychgate` command: everything that needs files, YAML, a clock or private keys.
//!
//! Policy is decided in lychgate-core; this crate reads what people write, hands it to core as one
//! bundle, and makes throw-away credentials to try a policy with.
//!
//! Exit codes: 0 done, 1 refused (the input is wrong, or a file can't be read or written),
//! 2 wrong usage.

mod arguments;
mod bundle;
mod check;
mod clock;
mod commands;
mod compare;
mod diagnostic;
mod error;
mod explain;
mod input;
mod jwk;
mod map;
mod output;
mod scenario;
mod schema;
mod serve;
mod shape;
mod subject;
mod suite;
mod terminal;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command};
use error::CliError;

/// Runs one command line and says how it went.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    match run(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error.to_string());
            ExitCode::from(error.exit_code())
        }
    }
}

fn usage(error: &clap::Error) -> ExitCode {
    // Nothing is left to tell when the terminal itself is gone.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

fn run(command: Command) -> Result<(), CliError> {
    match command {
        Command::Compile(options) => commands::compile::run(&options),
        Command::Check(options) => commands::check::run(&options),
        Command::Explain(options) => commands::explain::run(&options),
        Command::Test(options) => commands::test::run(&options),
        Command::Token(command) => commands::token::run(&command),
        Command::Completions(options) => commands::manual::completions(&options),
        Command::Man(options) => commands::manual::manual(&options),
        Command::Graph(options) => commands::graph::run(&options),
        Command::Diff(options) => commands::diff::run(&options),
        Command::Serve(options) => commands::serve::run(&options),
        Command::Schema(options) => commands::schema::run(&options),
        Command::Svid(command) => commands::svid::run(&command),
    }
}
