//! `jwt_authn` under the requirements that Istio writes.

use base64ct::{Base64, Encoding as _};
use serde_json::{Map, Value};

use crate::case::{Rendered, Token, now};
use crate::resource::JwtRule;
use crate::translate::sorted;

/// Envoy's default clock skew, in seconds.
const SKEW: u64 = 60;

/// The token that verified for the first provider, with its rule; none if there is no token at all.
///
/// # Errors
/// There are tokens, and none of the providers is satisfied.
pub(super) fn token<'a>(
    rules: &'a [JwtRule],
    request: &'a Rendered,
) -> Result<Option<(&'a JwtRule, &'a Token)>, ()> {
    let mut missed = true;
    for rule in sorted(rules) {
        let texts = extract(rule, request);
        missed &= texts.is_empty();
        let verified: Vec<_> = texts
            .iter()
            .map(|text| request.tokens.get(text).filter(|t| is_good(t, rule)))
            .collect();
        match verified.first() {
            Some(Some(token)) if verified.iter().all(Option::is_some) => {
                return Ok(Some((rule, token)));
            }
            _ => {}
        }
    }
    if missed { Ok(None) } else { Err(()) }
}

/// The header lines behind the filter: what any rule writes is removed first, whoever sent it, and
/// the rule of the token writes its own.
pub(super) fn outputs(
    rules: &[JwtRule],
    token: Option<(&JwtRule, &Token)>,
    request: &Rendered,
) -> Vec<(String, String)> {
    let written = |name: &str| {
        rules.iter().any(|rule| {
            let claims = rule.output_claim_to_headers.iter().map(|output| &output.header);
            let mut all = claims.chain(&rule.output_payload_to_header);
            all.any(|header| header.eq_ignore_ascii_case(name))
        })
    };
    let mut lines: Vec<_> =
        request.headers.iter().filter(|(name, _)| !written(name)).cloned().collect();
    for output in token.iter().flat_map(|(rule, _)| &rule.output_claim_to_headers) {
        let claims = token.map(|(_, token)| &token.claims);
        if let Some(value) = claims.and_then(|claims| written_claim(claims, &output.claim)) {
            lines.push((output.header.clone(), value));
        }
    }
    lines
}

/// The headers of a rule that get a number whose text only the arithmetic of doubles tells.
pub(super) fn untold((rule, token): (&JwtRule, &Token)) -> Vec<String> {
    let outputs = rule.output_claim_to_headers.iter();
    let untold =
        outputs.filter(|output| claim(&token.claims, &output.claim).is_some_and(shows_its_double));
    untold.map(|output| output.header.clone()).collect()
}

/// Whether a claim is a number that is large or has many places, or has numbers inside that are not
/// plain.
#[must_use]
pub fn shows_its_double(claim: &Value) -> bool {
    match claim {
        Value::Array(_) | Value::Object(_) => has_odd_numbers(claim),
        _ => claim.as_f64().is_some_and(is_odd),
    }
}

fn is_odd(number: f64) -> bool {
    let limit = if number.fract() == 0.0 { 53 } else { 32 };
    number.abs() >= (1_u64 << limit) as f64 || (number * 1e6).fract() != 0.0
}

fn has_odd_numbers(value: &Value) -> bool {
    match value {
        Value::Array(members) => members.iter().any(has_odd_numbers),
        Value::Object(members) => members.values().any(has_odd_numbers),
        Value::Number(number) => {
            number.as_i64().is_none_or(|whole| whole.abs() >= 1_000_000_000_000_000)
        }
        _ => false,
    }
}

/// A claim; a dot leads into an object.
fn claim<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let mut parts = name.split('.');
    let mut found = claims.get(parts.next()?)?;
    for part in parts {
        found = found.as_object()?.get(part)?;
    }
    Some(found)
}

/// A claim as a header: lists and objects are base64 of their JSON.
fn written_claim(claims: &Map<String, Value>, name: &str) -> Option<String> {
    let found = claim(claims, name)?;
    match found {
        Value::Null => None,
        Value::String(text) => (!text.is_empty()).then(|| text.clone()),
        Value::Bool(_) => Some(found.to_string()),
        Value::Number(number) => number.as_f64().map(decimal),
        Value::Array(_) | Value::Object(_) => {
            Some(Base64::encode_string(found.to_string().as_bytes()))
        }
    }
}

/// Every number is a double to Envoy: whole ones are written whole, others with six digits.
fn decimal(number: f64) -> String {
    if number.fract() == 0.0 && (0.0..u64::MAX as f64).contains(&number) {
        (number as u64).to_string()
    } else {
        format!("{number:.6}")
    }
}

/// The payload as it stands in the metadata: lists of words are split.
pub(super) fn payload(rule: &JwtRule, claims: &Map<String, Value>) -> Map<String, Value> {
    let mut payload = claims.clone();
    let usual = ["permission".to_owned(), "scope".to_owned()];
    for name in usual.iter().chain(&rule.space_delimited_claims) {
        if let Some(Value::String(words)) = payload.get(name) {
            let words = words.split(' ').filter(|word| !word.is_empty());
            let words: Value = words.map(Value::from).collect();
            payload.insert(name.clone(), words);
        }
    }
    payload
}

fn extract(rule: &JwtRule, request: &Rendered) -> Vec<String> {
    let mut found = Vec::new();
    let usual =
        rule.from_headers.is_empty() && rule.from_params.is_empty() && rule.from_cookies.is_empty();
    if usual {
        found.extend(in_header(request, "authorization", "Bearer "));
        found.extend(in_query(request, "access_token").map(String::from));
    }
    for header in &rule.from_headers {
        found.extend(in_header(request, &header.name, &header.prefix));
    }
    for name in &rule.from_params {
        found.extend(in_query(request, name).map(String::from));
    }
    for name in &rule.from_cookies {
        found.extend(in_cookies(request, name).map(String::from));
    }
    found
}

/// The prefix is found anywhere; behind it, what no token has in it is left out.
fn in_header(request: &Rendered, name: &str, prefix: &str) -> Vec<String> {
    let is_named = |line: &&(String, String)| line.0.eq_ignore_ascii_case(name);
    let token = |value: &str| {
        let (_, behind) = value.split_once(prefix)?;
        let is_token = |letter: &char| letter.is_ascii_alphanumeric() || "-_.".contains(*letter);
        Some(behind.chars().filter(is_token).collect()).filter(|token: &String| !token.is_empty())
    };
    request.headers.iter().filter(is_named).filter_map(|line| token(&line.1)).collect()
}

fn in_query<'a>(request: &'a Rendered, name: &str) -> Option<&'a str> {
    let (_, query) = request.target.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn in_cookies<'a>(request: &'a Rendered, name: &str) -> Option<&'a str> {
    let cookies = request.headers.iter().filter(|line| line.0.eq_ignore_ascii_case("cookie"));
    let mut pairs = cookies.flat_map(|line| line.1.split(';')).map(str::trim);
    pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn is_good(token: &Token, rule: &JwtRule) -> bool {
    let claim = |name: &str| token.claims.get(name);
    let is_text = |name: &str| claim(name).is_none_or(Value::is_string);
    let time = |name: &str| match claim(name) {
        None => Some(0),
        Some(value) => value.as_f64().filter(|time| *time >= 0.0).map(|time| time as u64),
    };
    let (Some(exp), Some(nbf), Some(_)) = (time("exp"), time("nbf"), time("iat")) else {
        return false;
    };
    token.form.verifies()
        && is_text("sub")
        && is_text("jti")
        && claim("iss").and_then(Value::as_str) == Some(&rule.issuer)
        && (exp == 0 || exp + SKEW >= now())
        && nbf <= now() + SKEW
        && has_audience(claim("aud"), &rule.audiences)
}

fn has_audience(aud: Option<&Value>, accepted: &[String]) -> bool {
    let fits = |name: &str| {
        accepted.is_empty() || accepted.iter().any(|other| audience(other) == audience(name))
    };
    match aud {
        None => accepted.is_empty(),
        Some(Value::String(name)) => fits(name),
        Some(Value::Array(names)) => {
            names.iter().all(Value::is_string)
                && (accepted.is_empty() || names.iter().filter_map(Value::as_str).any(fits))
        }
        Some(_) => false,
    }
}

/// Without scheme and one slash at the end.
fn audience(name: &str) -> &str {
    let name = name.strip_prefix("https://").or(name.strip_prefix("http://")).unwrap_or(name);
    name.strip_suffix('/').unwrap_or(name)
}
