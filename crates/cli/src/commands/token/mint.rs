//! `lychgate token mint`.

use core::fmt;
use core::str::FromStr;
use std::path::PathBuf;

use clap::Args;
use lychgate_core::json::Document;
use lychgate_core::limits::TOKEN_JSON;
use serde_json::{Map, Value, json};

use super::failed;
use crate::clock::{self, Span};
use crate::error::CliError;
use crate::jwk;
use crate::output;

/// Options of `token mint`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Private key file
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// `iss`
    #[arg(long)]
    issuer: Option<String>,
    /// `sub`
    #[arg(long)]
    subject: Option<String>,
    /// `aud`; repeated, it is a list
    #[arg(long = "audience")]
    audiences: Vec<String>,
    /// `exp`, as a length of time from now; the past with a minus sign
    #[arg(long, value_name = "SPAN", default_value = "5m", allow_hyphen_values = true)]
    expires_in: Span,
    /// `nbf`, as a length of time from now
    #[arg(long, value_name = "SPAN", allow_hyphen_values = true)]
    not_before_in: Option<Span>,
    /// `iat`, as a length of time from now
    #[arg(long, value_name = "SPAN", default_value = "0s", allow_hyphen_values = true)]
    issued_in: Span,
    /// Leave `exp` out
    #[arg(long, conflicts_with = "expires_in")]
    no_expiry: bool,
    /// Any claim: a JSON value, or else the text as a string; `null` removes a claim. May be repeated
    #[arg(long = "claim", value_name = "NAME=VALUE")]
    claims: Vec<Claim>,
    /// `typ` of the header
    #[arg(long, default_value = "JWT")]
    typ: String,
}

/// `NAME=VALUE`, where the value is JSON if it is JSON and else a string.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Claim {
    pub(crate) name: String,
    pub(crate) value: Value,
}

impl FromStr for Claim {
    type Err = BadClaim;

    fn from_str(text: &str) -> Result<Self, BadClaim> {
        let (name, value) = text.split_once('=').ok_or(BadClaim)?;
        // Read by core first: it refuses duplicate members, which serde_json swallows.
        let value = match Document::parse(value.as_bytes(), &TOKEN_JSON) {
            Ok(document) => serde_json::from_str(&document.canonical()).map_err(|_| BadClaim)?,
            Err(_) if value.starts_with(['{', '[', '"']) => return Err(BadClaim),
            Err(_) => Value::String(value.to_owned()),
        };
        Ok(Self { name: name.to_owned(), value })
    }
}

/// Not a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadClaim;

impl fmt::Display for BadClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NAME=VALUE is needed, with a JSON value or a word")
    }
}

impl core::error::Error for BadClaim {}

pub(super) fn run(options: &Options) -> Result<(), CliError> {
    let file = jwk::read(&options.key)?;
    let token = file.key.sign(claims(options, clock::now()), Some(&options.typ)).map_err(failed)?;
    output::answer(&format!("{token}\n"))
}

fn claims(options: &Options, now: i64) -> Map<String, Value> {
    let audience = match options.audiences.as_slice() {
        [] => None,
        [one] => Some(json!(one)),
        several => Some(json!(several)),
    };
    let expiry = (!options.no_expiry).then(|| json!(options.expires_in.after(now)));
    let named = [
        ("iss", options.issuer.as_ref().map(|issuer| json!(issuer))),
        ("sub", options.subject.as_ref().map(|subject| json!(subject))),
        ("aud", audience),
        ("iat", Some(json!(options.issued_in.after(now)))),
        ("nbf", options.not_before_in.map(|span| json!(span.after(now)))),
        ("exp", expiry),
    ];
    let mut claims: Map<String, Value> =
        named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    for Claim { name, value } in &options.claims {
        if value.is_null() {
            claims.remove(name);
        } else {
            claims.insert(name.clone(), value.clone());
        }
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_json_or_a_word() {
        let value = |text: &str| text.parse::<Claim>().map(|claim| claim.value);
        assert_eq!(value("a=b"), Ok(json!("b")));
        assert_eq!(value("a=payments:write"), Ok(json!("payments:write")));
        assert_eq!(value("a=\"5\""), Ok(json!("5")));
        assert_eq!(value("a=5"), Ok(json!(5)));
        assert_eq!(value("a=[\"x\",{\"y\":true}]"), Ok(json!(["x", { "y": true }])));
        assert_eq!(value("a="), Ok(json!("")));
        for refused in ["a", "a={", "a=[1,]", "a={\"x\":1,\"x\":2}", "a=\"b"] {
            assert_eq!(value(refused), Err(BadClaim), "{refused}");
        }
    }
}
