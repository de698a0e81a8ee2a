//! `lychgate token jwks`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};

use super::failed;
use crate::error::CliError;
use crate::jwk;
use crate::output;

/// Options of `token jwks`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Private key files
    #[arg(required = true, value_name = "KEY")]
    keys: Vec<PathBuf>,
    /// Where to write; standard output if absent
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes the public halves. A secret has none, so it is refused rather than left out.
pub(super) fn run(options: &Options) -> Result<(), CliError> {
    let mut keys = Vec::new();
    for path in &options.keys {
        let file = jwk::read(path)?;
        let public = file.key.public_jwk().ok_or_else(|| CliError::Key {
            path: path.display().to_string(),
            message: format!(
                "{} uses a secret, which never goes into a public set; name it in \
                 settings.symmetricKeys",
                file.algorithm
            ),
        })?;
        let mut jwk: Map<String, Value> = serde_json::from_str(&public).map_err(failed)?;
        jwk.insert("alg".to_owned(), json!(file.algorithm.to_string()));
        jwk.insert("use".to_owned(), json!("sig"));
        keys.push(Value::Object(jwk));
    }
    output::deliver(options.output.as_deref(), &format!("{:#}\n", json!({ "keys": keys })))
}
