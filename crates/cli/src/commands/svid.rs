//! `lychgate svid`: SPIFFE credentials for development.

mod ca;
mod certificate;
mod jwt;
mod x509;

use clap::Subcommand;

use lychgate_core::spiffe::SpiffeId;

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

/// A SPIFFE ID of the command line, which is what a workload's ID must be.
fn spiffe_id(text: &str) -> Result<SpiffeId, String> {
    SpiffeId::parse(text.as_bytes()).map_err(|error| error.to_string())
}

pub(crate) fn run(command: &Command) -> Result<(), CliError> {
    match command {
        Command::Ca(options) => ca::run(options),
        Command::X509(options) => x509::run(options),
        Command::Jwt(options) => jwt::run(options),
    }
}
