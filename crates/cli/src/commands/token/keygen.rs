//! `lychgate token keygen`.

use std::path::PathBuf;

use clap::Args;

use super::failed;
use crate::arguments::BadArgument;
use crate::error::CliError;
use crate::jwk::{self, SigningAlgorithm, SigningKey};
use crate::output::{self, Access, Existing};

/// Options of `token keygen`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Signature algorithm
    #[arg(long, value_enum, default_value_t = SigningAlgorithm::ES256)]
    alg: SigningAlgorithm,
    /// Name of the key, which tokens repeat
    #[arg(long)]
    kid: String,
    /// Length of an RSA modulus
    #[arg(long, default_value_t = 2048, value_parser = modulus_bits)]
    bits: usize,
    /// Where to write, readable by its owner only; standard output if absent
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace a key that is already there
    #[arg(long)]
    force: bool,
}

fn modulus_bits(text: &str) -> Result<usize, BadArgument> {
    match text {
        "2048" => Ok(2048),
        "3072" => Ok(3072),
        "4096" => Ok(4096),
        _ => Err(BadArgument("2048, 3072 or 4096 is needed")),
    }
}

pub(super) fn run(options: &Options) -> Result<(), CliError> {
    let key = SigningKey::generate(options.alg, &options.kid, options.bits).map_err(failed)?;
    let text = jwk::render(options.alg, &options.kid, &key);
    let existing = if options.force { Existing::Replace } else { Existing::Keep };
    match &options.output {
        Some(path) => output::write_file(path, &text, Access::Private, existing),
        None => output::answer(&text),
    }
}
