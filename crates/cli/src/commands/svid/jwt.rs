//! `lychgate svid jwt`.

use std::path::PathBuf;

use clap::Args;
use lychgate_core::spiffe::SpiffeId;
use serde_json::{Map, json};

use crate::clock::{self, Span};
use crate::error::CliError;
use crate::jwk;
use crate::output;

/// Options of `svid jwt`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// SPIFFE ID of the workload: the token's `sub`
    #[arg(long, value_name = "URI", value_parser = super::spiffe_id)]
    spiffe_id: SpiffeId,
    /// Whom the token is for; may be repeated
    #[arg(long = "audience", required = true)]
    audiences: Vec<String>,
    /// Private key file
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// `iss`; JWT-SVIDs need none, and Lychgate finds their keys by it
    #[arg(long)]
    issuer: Option<String>,
    /// How long it is valid
    #[arg(long, value_name = "SPAN", default_value = "5m", allow_hyphen_values = true)]
    expires_in: Span,
}

/// Signs `sub`, `aud` and `exp` (JWT-SVID §3) and `iat`.
pub(super) fn run(options: &Options) -> Result<(), CliError> {
    let file = jwk::read(&options.key)?;
    let now = clock::now();
    let mut claims = Map::from_iter([
        ("sub".to_owned(), json!(options.spiffe_id.as_str())),
        ("aud".to_owned(), json!(options.audiences)),
        ("iat".to_owned(), json!(now)),
        ("exp".to_owned(), json!(options.expires_in.after(now))),
    ]);
    if let Some(issuer) = &options.issuer {
        claims.insert("iss".to_owned(), json!(issuer));
    }
    let token = file
        .key
        .sign(claims, None)
        .map_err(|error| CliError::Token { message: error.to_string() })?;
    output::answer(&format!("{token}\n"))
}
