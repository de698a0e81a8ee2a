//! `lychgate token inspect`.

use std::collections::BTreeSet;
use std::io::{self, Read as _};
use std::path::PathBuf;

use clap::Args;
use jwt_simple::reexports::ct_codecs::{Base64UrlSafeNoPadding, Decoder as _};
use lychgate_core::json::{Document, Value as Json, View};
use lychgate_core::limits::{TOKEN_BYTES, TOKEN_JSON};
use lychgate_core::spiffe::Peer;
use lychgate_core::time::UnixTime;

use crate::arguments::{Pair, WorkloadOptions};
use crate::clock;
use crate::error::CliError;
use crate::explain::meaning;
use crate::output;
use crate::scenario::{RequestSpec, Scenario, Time};
use crate::subject::{self, Subject};
use crate::terminal::visible;

/// Options of `token inspect`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// The token; - reads standard input, which keeps it out of the shell's history
    #[arg(default_value = "-")]
    token: String,
    /// A policy (files, folders, or one compiled bundle) that says what it thinks of the token
    #[arg(long = "policy", value_name = "BUNDLE|PATHS")]
    policies: Vec<PathBuf>,
    #[command(flatten)]
    workload: WorkloadOptions,
    /// The key set of a remote issuer of the policy; nothing is ever fetched. May be repeated
    #[arg(long, value_name = "URI=FILE")]
    jwks: Vec<Pair>,
    /// When the token comes, as in 2026-11-22T12:00:00Z; now if absent
    #[arg(long)]
    time: Option<Time>,
}

const EXAMPLES: &str = "\
Examples:
  pbpaste | lychgate token inspect
  lychgate token inspect --policy policies --namespace shop --jwks https://i/keys=set.json < token

Nothing is contacted. Without a policy the signature is not checked.";

pub(super) fn run(options: &Options) -> Result<(), CliError> {
    let token = if options.token == "-" { read_stdin()? } else { options.token.clone() };
    let clock = clock::now();
    let now = options.time.and_then(|time| i64::try_from(time.0.seconds()).ok()).unwrap_or(clock);
    let text = describe(token.trim(), now).map_err(refuse)?;
    if options.policies.is_empty() {
        output::answer(&text)?;
        output::warn("the signature was not checked");
        return Ok(());
    }
    let verdict = judge(options, token.trim(), now)?;
    output::answer(&format!("{text}{verdict}\n"))
}

/// What a policy thinks of the token in `Authorization: Bearer`, whatever it says about the caller.
fn judge(options: &Options, token: &str, now: i64) -> Result<String, CliError> {
    let settings = options.workload.settings.as_deref().map(crate::bundle::read_settings);
    let bundle = subject::read_bundle(&options.policies, &options.workload, settings.transpose()?)?;
    let sets = subject::read_sets(&options.jwks)?;
    let mut subject = Subject::new(bundle, &BTreeSet::new(), &sets)?;
    let now = UnixTime::from_seconds(u64::try_from(now).unwrap_or_default());
    let mut scenario = Scenario::new(&RequestSpec::default(), Peer::Absent, now);
    scenario.carry(token, None);
    subject.at(now);
    let Subject { engine, store, .. } = &mut subject;
    let who = scenario.examine(engine, store, |seen| {
        let subject = seen.facts.subject.unwrap_or("nobody in particular");
        format!("{} of {}", visible(subject), visible(seen.facts.issuer.unwrap_or("nobody")))
    });
    Ok(match who {
        Some(who) => format!("the policy accepts it as {who}"),
        None => {
            let decision = scenario.decide(engine, store);
            let detail = decision.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
            let (reason, status) = (decision.reason(), decision.status());
            format!(
                "the policy refuses it: {status} {}{detail}: {}",
                reason.code(),
                meaning(reason)
            )
        }
    })
}

fn read_stdin() -> Result<String, CliError> {
    let most = u64::try_from(TOKEN_BYTES).unwrap_or(u64::MAX).saturating_add(2);
    let mut text = String::new();
    io::stdin()
        .lock()
        .take(most)
        .read_to_string(&mut text)
        .map_err(|error| CliError::Read { path: "standard input".to_owned(), error })?;
    Ok(text)
}

fn refuse(message: String) -> CliError {
    CliError::Token { message }
}

/// Header and claims as text. Messages never repeat the token.
fn describe(token: &str, now: i64) -> Result<String, String> {
    if token.len() > TOKEN_BYTES {
        return Err(format!("a token of more than {TOKEN_BYTES} bytes"));
    }
    let parts: Vec<&str> = token.splitn(4, '.').collect();
    let [header, claims, signature] = parts.as_slice() else {
        return Err("not a compact JWS: three parts are needed".to_owned());
    };
    let header = part("header", header)?;
    let claims = part("claims", claims)?;
    decode("signature", signature)?;
    let times = ["iat", "nbf", "exp"]
        .into_iter()
        .filter_map(|name| Some(time_line(name, seconds(&claims, name)?, now)))
        .collect::<String>();
    Ok(format!("header\n{}claims\n{}{times}", lines(&header), lines(&claims)))
}

fn part(name: &str, text: &str) -> Result<Document, String> {
    let bytes = decode(name, text)?;
    let document =
        Document::parse(&bytes, &TOKEN_JSON).map_err(|error| format!("the {name}: {error}"))?;
    match document.root().as_object() {
        Some(_) => Ok(document),
        None => Err(format!("the {name}: not a JSON object")),
    }
}

fn decode(name: &str, text: &str) -> Result<Vec<u8>, String> {
    Base64UrlSafeNoPadding::decode_to_vec(text, None)
        .map_err(|_| format!("the {name}: not base64url without padding"))
}

/// One member a line.
fn lines(document: &Document) -> String {
    let members = document.root().as_object().into_iter().flatten();
    members
        .map(|(name, value)| format!("  {} {}\n", visible(name), visible(&json(value))))
        .collect()
}

fn json(value: Json<'_>) -> String {
    let mut writer = lychgate_core::json::JsonWriter::new();
    writer.value(value);
    writer.finish()
}

fn seconds(claims: &Document, name: &str) -> Option<i64> {
    match claims.root().as_object()?.get(name)?.view() {
        View::Number(number) => number.text().split('.').next()?.parse().ok(),
        View::Null | View::Bool(_) | View::String(_) | View::Array(_) | View::Object(_) => None,
    }
}

fn time_line(name: &str, at: i64, now: i64) -> String {
    let distance = at.saturating_sub(now);
    let length = distance.unsigned_abs();
    if distance >= 0 {
        format!("{name} is in {length} seconds\n")
    } else {
        format!("{name} was {length} seconds ago\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // {"alg":"ES256"} . {"exp":10,"iss":"a"} . AA
    const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJleHAiOjEwLCJpc3MiOiJhIn0.AAA";

    #[test]
    fn a_token_is_shown_with_its_times() {
        let text = describe(TOKEN, 15).unwrap();
        assert_eq!(
            text,
            "header\n  alg \"ES256\"\nclaims\n  exp 10\n  iss \"a\"\nexp was 5 seconds ago\n"
        );
    }

    #[test]
    fn what_is_no_compact_token_is_refused_without_repeating_it() {
        for text in ["x", "x.y", "e30.e30.AA.AA", "e30=.e30.AA", "W10.e30.AA", "*.e30.AA"] {
            let message = describe(text, 0).unwrap_err();
            assert!(text == "x" || !message.contains(text), "{message}");
        }
        assert!(describe("e30.e30.", 0).is_ok(), "an unsigned token can be looked at");
        assert!(describe(&"a".repeat(TOKEN_BYTES + 1), 0).is_err());
    }
}
