//! Why Lychgate denies what Envoy allows: each name has a test of its own on the request, so that
//! a reason that Lychgate gives does not explain itself.

use lychgate_core::decision::Reason;
use serde_json::Value;

use super::{Ours, Question, Spelling};
use crate::case::{PeerNames, RequestModel, now};
use crate::oracle::{Answer, Doubts, Strictness, normalize};

/// The names of the strictnesses for which Lychgate denies; nothing if none does.
#[must_use]
pub fn explain(question: &Question<'_>, ours: &Ours) -> Option<Vec<&'static str>> {
    let request = question.request;
    let usual = with_usual_scheme(request);
    if let Some(usual) = &usual
        && question.oracle.answer(usual, &Doubts::none()) != Answer::Allow
    {
        return Some(vec!["bearer"]);
    }
    let judged = usual.as_ref().unwrap_or(request);
    let one = |name: Option<&'static str>| name.map(|name| vec![name]);
    match ours.reason {
        Reason::PathAmbiguous | Reason::PathMalformed => one(path(question, ours.detail?)),
        Reason::CredentialMalformed => one(credential(judged)),
        Reason::CredentialMultiple => one(second_credential(judged)),
        Reason::PeerMalformed => one(peer(request.peer.as_ref()?)),
        Reason::AudienceMismatch => one(audience(question, judged)),
        Reason::TokenIssuedInFuture => one(issued_in_future(judged)),
        Reason::TokenExpired => one(expired_at_zero(judged)),
        Reason::ClaimMalformed => one(odd_subject(judged)),
        Reason::NoRuleMatched
        | Reason::DeniedByRule
        | Reason::CredentialMissing
        | Reason::ScopeMissing => policy(question, judged),
        _ => None,
    }
}

/// The request with the scheme as Envoy knows it; nothing if it has that already.
#[must_use]
pub fn with_usual_scheme(request: &RequestModel) -> Option<RequestModel> {
    let mut usual = request.clone();
    let mut changed = false;
    for (_, value) in &mut usual.headers {
        if let Some(rest) = value.strip_prefix("bearer ") {
            *value = format!("Bearer {rest}");
            changed = true;
        }
    }
    changed.then_some(usual)
}

fn path(question: &Question<'_>, detail: &str) -> Option<&'static str> {
    let target = question.request.target.split('?').next().unwrap_or_default();
    let path = match question.spelling {
        Spelling::Raw => target.to_owned(),
        Spelling::Normal | Spelling::Joined => normalize(target),
    };
    let lower = path.to_ascii_lowercase();
    let dots = lower.replace("%2e", ".");
    let mut segments = dots.split(['/', '\\']).map(|part| part.split(';').next().unwrap_or(""));
    let (name, is_so) = match detail {
        "dot_segments" => ("path.dot-segments", segments.any(|part| part == "." || part == "..")),
        "doubled_slashes" => ("path.doubled-slashes", path.contains("//")),
        "backslashes" => ("path.backslash", path.contains('\\')),
        "encoded_separators" => {
            ("path.encoded-separator", lower.contains("%2f") || lower.contains("%5c"))
        }
        "double_encoding" => ("path.double-encoding", path.contains("%25")),
        "path_parameters" => ("path.parameters", path.contains(';') || lower.contains("%3b")),
        "control_character" => ("path.control", decoded(&path)?.iter().any(u8::is_ascii_control)),
        "invalid_escape" => ("path.escape", decoded(&path).is_none()),
        "invalid_utf8" => ("path.utf8", String::from_utf8(decoded(&path)?).is_err()),
        _ => return None,
    };
    is_so.then_some(name)
}

/// The bytes that the escapes spell; nothing if one of them is broken.
fn decoded(path: &str) -> Option<Vec<u8>> {
    let mut parts = path.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        bytes.push(u8::from_str_radix(digits?, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    Some(bytes)
}

/// Text before the token, or behind it.
fn credential(request: &RequestModel) -> Option<&'static str> {
    let mut values = request.headers.iter().map(|(_, value)| value.as_str());
    values
        .find_map(|value| match value.split_once("{token:") {
            Some((before, _)) if !["", "Bearer ", "JWT "].contains(&before) => {
                Some("credential.position")
            }
            Some((_, behind)) if !behind.ends_with('}') => Some("credential.rest"),
            Some(_) => None,
            None => {
                let first = value.split(',').next().unwrap_or_default();
                (first.trim() == "Bearer").then_some("credential.empty")
            }
        })
        .or_else(|| repeated(request).then_some("credential.single"))
}

/// Whether the model knows what Envoy makes of the credentials: not of several, nor of what stands
/// around one. Lychgate refuses all of these.
#[must_use]
pub fn is_modelled(request: &RequestModel) -> bool {
    request.tokens.len() < 2 && credential(request).is_none()
}

fn second_credential(request: &RequestModel) -> Option<&'static str> {
    (repeated(request) || request.tokens.len() > 1).then_some("credential.single")
}

/// Whether a header stands twice that may hold a credential.
fn repeated(request: &RequestModel) -> bool {
    let count = |name: &str| request.headers.iter().filter(|line| line.0 == name).count();
    let credentials = request.headers.iter().filter(|line| {
        line.1.contains("{token:") || line.1.trim() == "Bearer" || line.0 == "authorization"
    });
    count("authorization") > 1 || count("x-token") > 1 || credentials.count() > 1
}

fn peer(peer: &PeerNames) -> Option<&'static str> {
    match peer.uris.as_slice() {
        [] => Some("peer.uri"),
        [id] if is_spiffe(id) => None,
        [id] if is_spiffe(&with_folded_domain(id)) => Some("peer.case"),
        [_] => Some("peer.spiffe"),
        _ => Some("peer.single"),
    }
}

/// Whether it is a SPIFFE ID with a path, to the letter.
fn is_spiffe(id: &str) -> bool {
    let id = id.strip_prefix("spiffe://").and_then(|rest| rest.split_once('/'));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let is_segment = |text: &str| !["", ".", ".."].contains(&text) && text.bytes().all(is_plain);
    let is_domain = |text: &str| {
        let is_lower = |byte: u8| is_plain(byte) && !byte.is_ascii_uppercase();
        !text.is_empty() && text.bytes().all(is_lower)
    };
    id.is_some_and(|(domain, path)| is_domain(domain) && path.split('/').all(is_segment))
}

fn with_folded_domain(id: &str) -> String {
    let (domain, path) =
        id.strip_prefix("spiffe://").unwrap_or(id).split_once('/').unwrap_or_default();
    format!("spiffe://{}/{path}", domain.to_lowercase())
}

/// An audience that Envoy takes for another one.
fn audience(question: &Question<'_>, request: &RequestModel) -> Option<&'static str> {
    let plain = |name: &str| {
        let name = name.strip_prefix("https://").or(name.strip_prefix("http://")).unwrap_or(name);
        name.strip_suffix('/').unwrap_or(name).to_owned()
    };
    let accepted = || question.setup.jwt_rules.iter().flat_map(|rule| &rule.audiences);
    let named = request.tokens.iter().flat_map(|token| match token.claims.get("aud") {
        Some(Value::String(name)) => vec![name.as_str()],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    });
    let mut pairs = named.flat_map(|name| accepted().map(move |other| (name, other)));
    let alike = pairs.any(|(name, other)| name != other && plain(name) == plain(other));
    alike.then_some("claim.audience")
}

fn issued_in_future(request: &RequestModel) -> Option<&'static str> {
    let late = |iat: &Value| iat.as_f64().is_some_and(|iat| iat > now() as f64);
    has_claim(request, "iat", late).then_some("claim.iat")
}

fn expired_at_zero(request: &RequestModel) -> Option<&'static str> {
    has_claim(request, "exp", |exp| exp.as_f64() == Some(0.0)).then_some("claim.exp-zero")
}

fn odd_subject(request: &RequestModel) -> Option<&'static str> {
    let odd = |sub: &Value| {
        sub.as_str().is_some_and(|sub| sub.is_empty() || sub.chars().any(char::is_control))
    };
    has_claim(request, "sub", odd).then_some("claim.subject")
}

fn has_claim(request: &RequestModel, name: &str, is_so: impl Fn(&Value) -> bool) -> bool {
    request.tokens.iter().any(|token| token.claims.get(name).is_some_and(&is_so))
}

/// The fewest strictnesses of matchers that make Envoy deny as well.
fn policy(question: &Question<'_>, request: &RequestModel) -> Option<Vec<&'static str>> {
    let joined = question.spelling == Spelling::Joined;
    let denies =
        |doubts: Doubts| question.oracle.answer(request, &doubts.joined(joined)) != Answer::Allow;
    if let Some(one) = Strictness::ALL.iter().find(|one| denies(Doubts::only(**one))) {
        return Some(vec![one.id()]);
    }
    let mut needed = Strictness::ALL.to_vec();
    if !denies(Doubts::of(&needed)) {
        return None;
    }
    for one in Strictness::ALL {
        let without: Vec<_> = needed.iter().copied().filter(|other| *other != one).collect();
        if denies(Doubts::of(&without)) {
            needed = without;
        }
    }
    Some(needed.into_iter().map(Strictness::id).collect())
}
