//! `lychgate svid`: SPIFFE credentials for development.

mod ca;
mod certificate;
mod jwt;
mod x509;

use clap::Subcommand;

use crate::error::CliError;

/// What to make.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a certification authority, for development only
    Ca(ca::Options),
    /// Make an X.509-SVID and its private key, for development only
    X509(x509::Options),
    /// Sign a JWT-SVID
    Jwt(jwt::Options),
}

pub(crate) fn run(command: &Command) -> Result<(), CliError> {
    match command {
        Command::Ca(options) => ca::run(options),
        Command::X509(options) => x509::run(options),
        Command::Jwt(options) => jwt::run(options),
    }
}
