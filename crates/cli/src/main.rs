//! The `lychgate` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    lychgate::main(std::env::args_os())
}
