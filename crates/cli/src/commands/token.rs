//! `lychgate token`: keys and tokens for development.

mod inspect;
mod jwks;
mod keygen;
mod mint;

use clap::Subcommand;

pub(crate) use mint::Claim;

use crate::error::CliError;

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a private key as a JWK file, for development only
    Keygen(keygen::Options),
    /// Print the public key set (JWKS) of private keys
    Jwks(jwks::Options),
    /// Sign a token
    Mint(mint::Options),
    /// Print a token's header and claims, and what a policy thinks of it
    Inspect(Box<inspect::Options>),
}

pub(crate) fn run(command: &Command) -> Result<(), CliError> {
    match command {
        Command::Keygen(options) => keygen::run(options),
        Command::Jwks(options) => jwks::run(options),
        Command::Mint(options) => mint::run(options),
        Command::Inspect(options) => inspect::run(options),
    }
}

/// A failure to sign or to make a key.
fn failed(error: impl core::fmt::Display) -> CliError {
    CliError::Token { message: error.to_string() }
}
