//! What the upstream is told about the caller, and what it must not be told by anybody else.

mod number;

use alloc::borrow::{Cow, ToOwned as _};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt::Write as _;

use crate::authn::{AcceptedToken, Authenticator, JwtRule, Location};
use crate::base64;
use crate::json::{JsonWriter, Object, Value, View};
use crate::jwt::{Claim, VerifiedToken};
use crate::policy::Needs;
use crate::request::{HeaderLine, Request, query::without_parameters};

/// Headers under this prefix are Lychgate's own, whoever sent them.
const OWN_PREFIX: &[u8] = b"x-lychgate-";

const ISSUER: &str = "x-lychgate-issuer";
const SUBJECT: &str = "x-lychgate-subject";
const PEER: &str = "x-lychgate-peer";

/// How the request must be changed before it goes on, whether it is allowed or refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpstreamChanges {
    /// Headers to remove, in lower case: all that this policy sets, and a token that stops here.
    pub remove: Vec<String>,
    /// Headers to set after that, in lower case, with their values.
    pub set: Vec<(Cow<'static, str>, String)>,
    /// The request target without the token that was in its query.
    pub target: Option<Vec<u8>>,
    /// Headers that a claim should become and that no header line can be: not handed on, and there
    /// all the same for a policy that reads them, as for one of Envoy's. Absent, a condition that
    /// excludes their value would let the request pass.
    unwritten: Vec<(Cow<'static, str>, String)>,
    /// Headers that a claim should become and whose text nobody can tell.
    unclear: Vec<String>,
}

/// The headers that a policy sets on requests, and so removes from them first.
#[derive(Debug, Clone, Default)]
pub(crate) struct HandOff {
    identity_headers: bool,
    names: Vec<Box<str>>,
    is_seen: bool,
}

/// What of one request must not go on: headers that only Lychgate may set, and a target with a token
/// in its query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Withheld {
    /// Each once, in lower case.
    forged: Vec<String>,
    /// The target without the token.
    target: Option<Vec<u8>>,
}

/// A verified token with the rule that accepted it and the place where it was.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Accepted<'a> {
    pub(crate) token: &'a VerifiedToken,
    pub(crate) rule: &'a JwtRule,
    pub(crate) location: &'a Location,
}

impl<'a> Accepted<'a> {
    pub(crate) fn of(token: &'a AcceptedToken, authenticator: &'a Authenticator) -> Option<Self> {
        let rule = authenticator.rules().get(token.rule())?;
        Some(Self { token: token.token(), rule, location: token.location(authenticator)? })
    }
}

impl HandOff {
    /// Collects the headers that any of the rules may set.
    pub(crate) fn new(identity_headers: bool, authenticator: &Authenticator) -> Self {
        let outputs = authenticator.output_headers();
        let mut names: Vec<Box<str>> =
            outputs.map(|name| name.to_ascii_lowercase().into()).collect();
        crate::order::sort_by(&mut names, |a, b| folded(a.as_bytes()).lt(folded(b.as_bytes())));
        names.dedup();
        Self { identity_headers, names, is_seen: false }
    }

    /// Whether headers tell the upstream who the caller is.
    pub(crate) const fn hands_on_identity(&self) -> bool {
        self.identity_headers
    }

    /// Whether a header is under Lychgate's own prefix, for a reader that takes `_` for `-` too.
    #[inline]
    pub(crate) fn is_own(name: &[u8]) -> bool {
        // Most names are told from Lychgate's own by their third letter.
        matches!(name, [_, _, b'l' | b'L', ..])
            && name
                .get(..OWN_PREFIX.len())
                .is_some_and(|prefix| folded(prefix).eq(OWN_PREFIX.iter().copied()))
    }

    /// The names besides those under Lychgate's own prefix, in lower case.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(Box::as_ref)
    }

    /// Says whether policies read a header that may be changed.
    pub(crate) fn seen_by(self, needs: &Needs, authenticator: &Authenticator) -> Self {
        let stops = |name: &str| {
            let mut rules =
                authenticator.rules().iter().filter(|rule| !rule.forward_original_token);
            rules.any(|rule| rule.locations.iter().any(|location| location.is_header(name)))
        };
        let changes = |name: &String| {
            Self::is_own(name.as_bytes()) || self.sets(name.as_bytes()) || stops(name)
        };
        Self { is_seen: needs.headers.iter().any(changes), ..self }
    }

    /// Whether a policy reads a header that may be changed.
    pub(crate) const fn is_seen(&self) -> bool {
        self.is_seen
    }

    /// What of this request must not go on.
    pub(crate) fn withhold(
        &self,
        request: &Request<'_>,
        accepted: Option<&Accepted<'_>>,
    ) -> Withheld {
        let target = accepted.and_then(|accepted| match accepted.location {
            Location::Parameter(name) if !accepted.rule.forward_original_token => {
                without_parameters(request.target, core::slice::from_ref(name))
            }
            Location::Parameter(_) | Location::Header { .. } | Location::Cookie(_) => None,
        });
        Withheld { forged: self.forged(request), target }
    }

    /// What to change in a request of which this must not go on.
    pub(crate) fn changes(
        &self,
        withheld: &Withheld,
        peer: Option<&str>,
        accepted: Option<&Accepted<'_>>,
    ) -> UpstreamChanges {
        let Withheld { forged, target } = withheld.clone();
        let mut changes = UpstreamChanges { remove: forged, target, ..Default::default() };
        if let Some(accepted) = accepted {
            if self.identity_headers {
                self.identify(accepted, &mut changes);
            }
            hand_on_claims(accepted, &mut changes);
            // A cookie stays: others may need what is beside it.
            if let (Location::Header { name, .. }, false) =
                (accepted.location, accepted.rule.forward_original_token)
            {
                push_once(&mut changes.remove, name);
            }
        }
        if let (Some(peer), true) = (peer, self.identity_headers) {
            changes.set.push((PEER.into(), peer.into()));
        }
        changes
    }

    /// The headers of this request that only Lychgate may set, each once.
    fn forged(&self, request: &Request<'_>) -> Vec<String> {
        let mut forged = Vec::new();
        for line in request.headers {
            if Self::is_own(line.name) || self.sets(line.name) {
                forged.push(String::from_utf8_lossy(line.name).to_ascii_lowercase());
            }
        }
        if forged.is_empty() {
            return forged;
        }
        crate::order::sort_by(&mut forged, |a, b| a < b);
        forged.dedup();
        forged
    }

    /// Whether a rule sets this header. Common gateway interfaces show an upstream `x_a` and `x-a`
    /// as one (RFC 3875 §4.1.18), so they count as one here too.
    fn sets(&self, name: &[u8]) -> bool {
        !self.names.is_empty()
            && self.names.binary_search_by(|own| folded(own.as_bytes()).cmp(folded(name))).is_ok()
    }

    fn identify(&self, accepted: &Accepted<'_>, changes: &mut UpstreamChanges) {
        let claims = accepted.token.claims();
        for (name, claim) in [(ISSUER, claims.issuer()), (SUBJECT, claims.subject())] {
            if let Claim::Present(value) = claim {
                changes.set.push((name.into(), percent_encoded(value)));
            }
        }
    }
}

impl UpstreamChanges {
    /// How many bytes its texts have.
    pub(crate) fn size(&self) -> usize {
        let pairs = self.set.iter().chain(&self.unwritten);
        let pairs = pairs.flat_map(|(name, value)| [&**name, value.as_str()]);
        let texts = self.remove.iter().chain(&self.unclear).map(String::as_str).chain(pairs);
        let bytes = texts.map(|text| text.len().saturating_add(size_of::<String>()));
        bytes.sum::<usize>().saturating_add(self.target.as_ref().map_or(0, Vec::len))
    }

    /// The headers that are not handed on since their text can't be told, in lower case.
    pub(crate) fn unclear(&self) -> &[String] {
        &self.unclear
    }

    /// Whether one of these headers is removed or set.
    pub(crate) fn touches(&self, headers: &[String]) -> bool {
        let set = self.set.iter().chain(&self.unwritten).map(|(name, _)| &**name);
        let mut names = self.remove.iter().map(String::as_str).chain(set);
        names.any(|name| headers.binary_search_by(|header| header.as_str().cmp(name)).is_ok())
    }

    /// The header lines as a policy sees them after the changes.
    pub(crate) fn applied_to<'a>(&'a self, lines: &[HeaderLine<'a>]) -> Vec<HeaderLine<'a>> {
        let goes = |line: &HeaderLine<'_>| {
            let mut names = self.remove.iter();
            names.any(|name| name.as_bytes().eq_ignore_ascii_case(line.name))
        };
        let mut after: Vec<_> = lines.iter().filter(|line| !goes(line)).copied().collect();
        after.extend(
            self.set
                .iter()
                .chain(&self.unwritten)
                .map(|(name, value)| HeaderLine { name: name.as_bytes(), value: value.as_bytes() }),
        );
        after
    }
}

/// A name in lower case and with `-` for `_`.
#[inline]
pub(crate) fn folded(name: &[u8]) -> impl Iterator<Item = u8> + '_ {
    name.iter().map(|byte| folded_byte(*byte))
}

#[inline(always)]
const fn folded_byte(byte: u8) -> u8 {
    if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() }
}

/// Compares a name that is folded with another one as [`folded`] has it.
#[inline]
pub(crate) fn compare_folded(known: &[u8], name: &[u8]) -> Ordering {
    for (known, byte) in known.iter().zip(name) {
        let byte = folded_byte(*byte);
        if *known != byte {
            return known.cmp(&byte);
        }
    }
    known.len().cmp(&name.len())
}

fn push_once(names: &mut Vec<String>, name: &str) {
    let name = name.to_ascii_lowercase();
    if !names.contains(&name) {
        names.push(name);
    }
}

fn hand_on_claims(accepted: &Accepted<'_>, changes: &mut UpstreamChanges) {
    if let Some(header) = &accepted.rule.output_payload_header {
        let payload = String::from_utf8_lossy(accepted.token.payload()).into_owned();
        changes.set.push((header.to_ascii_lowercase().into(), payload));
    }
    for output in &accepted.rule.output_claim_headers {
        let claims = accepted.token.claims().root().as_object();
        let Some(claim) = claims.and_then(|claims| nested(claims, &output.claim)) else { continue };
        let header = output.header.to_ascii_lowercase();
        match (header_value(claim), claim.view()) {
            (Some(value), _) => changes.set.push((header.into(), value)),
            (None, View::String(text)) if !text.is_empty() => {
                changes.unwritten.push((header.into(), text.to_owned()));
            }
            (None, View::Number(_) | View::Array(_) | View::Object(_)) => {
                changes.unclear.push(header);
            }
            (None, _) => {}
        }
    }
}

fn nested<'a>(members: Object<'a>, path: &[Box<str>]) -> Option<Value<'a>> {
    let (last, outer) = path.split_last()?;
    let mut members = members;
    for name in outer {
        members = members.get(name)?.as_object()?;
    }
    members.get(last)
}

/// A claim as Envoy's jwt_authn writes it: strings as they are, lists and objects as base64 of their
/// JSON. Absent where there is nothing to write, or where the string could not stand in a header.
fn header_value(value: Value<'_>) -> Option<String> {
    match value.view() {
        View::Null => None,
        View::Bool(value) => Some(if value { "true" } else { "false" }.into()),
        View::Number(number) => number::text(number),
        View::String(text) => {
            let printable = !text.is_empty() && !text.chars().any(char::is_control);
            printable.then(|| text.to_owned())
        }
        View::Array(_) | View::Object(_) => {
            if !has_plain_numbers(value) {
                return None;
            }
            let mut json = JsonWriter::new();
            json.value(value);
            Some(base64::encode_standard(json.finish().as_bytes()))
        }
    }
}

/// Whether all numbers inside are whole and have one text, in a double too.
fn has_plain_numbers(value: Value<'_>) -> bool {
    match value.view() {
        View::Number(number) => number::is_plain(number),
        View::Array(mut members) => members.all(has_plain_numbers),
        View::Object(mut members) => members.all(|(_, member)| has_plain_numbers(member)),
        View::Null | View::Bool(_) | View::String(_) => true,
    }
}

/// Percent-encodes all but visible ASCII, and the percent sign itself, so that a value of any
/// text is one header value and can be read back.
fn percent_encoded(text: &str) -> String {
    let is_plain = |byte: u8| matches!(byte, 0x21..=0x7e) && byte != b'%';
    if text.bytes().all(is_plain) {
        return text.to_owned();
    }
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_plain(byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Bounds, Document};

    const BOUNDS: Bounds = Bounds { bytes: 1024, depth: 8, members: 16 };

    fn written(json: &str) -> Option<String> {
        header_value(Document::parse(json.as_bytes(), &BOUNDS).unwrap().root())
    }

    #[test]
    fn claims_are_written_as_envoy_writes_them() {
        for (json, header) in [
            ("\"admin\"", Some("admin")),
            ("true", Some("true")),
            ("-3", Some("-3.000000")),
            ("1e3", None),
            ("[1e3]", None),
            ("[\"a\", 1]", Some("WyJhIiwxXQ==")),
            ("null", None),
            ("\"\"", None),
            ("\"a\\nb\"", None),
        ] {
            assert_eq!(written(json).as_deref(), header, "{json}");
        }
    }

    #[test]
    fn an_identity_of_any_text_becomes_visible_ascii() {
        assert_eq!(percent_encoded("a b%é/\u{202e}"), "a%20b%25%C3%A9/%E2%80%AE");
        assert_eq!(percent_encoded("https://issuer.example/x"), "https://issuer.example/x");
    }
}
