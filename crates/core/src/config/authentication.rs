//! RequestAuthentication: each `jwtRules` entry becomes a [`JwtRule`] with its keys.

mod spec;

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::Display;

use super::bundle::Envelope;
use super::error::{LoadError, LoadProblem};
use super::resource::{Kind, Resource};
use super::settings::{self, SettingsSpec};
use crate::authn::{
    ClaimHeader, JwtRule, KeySource, Location, Milliseconds, RuleKeys, SourceId, metadata_uri,
};
use crate::base64;
use crate::bytes::holds;
use crate::finding::{Finding, FindingCode};
use crate::json::Quoted;
use crate::jwt::KeySet;
use crate::jwt::jwk::{Key, KeyProfile};
use crate::jwt::key::{Algorithm, KeyCheck};
use crate::limits;
use crate::request::ForwardedHeader;
use crate::upstream::HandOff;
use spec::{RuleSpec, Spec};

/// Headers that frame, route or authenticate a request.
const VITAL: [&str; 22] = [
    "accept-encoding",
    "access-control-request-method",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "origin",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
    "x-forwarded-proto",
];

/// The rules of all selected resources, and the remote key sets that they need.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub(super) rules: Vec<JwtRule>,
    pub(super) sources: Vec<KeySource>,
}

/// Reads every selected RequestAuthentication.
pub(super) fn build(
    envelope: &Envelope<'_>,
    check: &dyn KeyCheck,
    findings: &mut Vec<Finding>,
) -> Result<Rules, LoadError> {
    let mut all = Rules::default();
    let mut pointers = Vec::new();
    for resource in envelope.of(Kind::RequestAuthentication) {
        let spec = read(resource)?;
        for (index, rule) in spec.jwt_rules.iter().enumerate() {
            let builder = RuleBuilder {
                pointer: format!("{}/spec/jwtRules/{index}", resource.pointer),
                spec: rule,
                settings: &envelope.settings,
                check,
            };
            let rule = builder.build(&mut all.sources, findings)?;
            all.rules.push(rule);
            pointers.push(builder.pointer);
        }
    }
    check_token_headers(&all.rules, &pointers)?;
    check_issuers(&all.rules, &envelope.settings)?;
    Ok(all)
}

/// A header that some rule sets is removed, so no rule can find a token in it.
fn check_token_headers(rules: &[JwtRule], pointers: &[String]) -> Result<(), LoadError> {
    let mut outputs: Vec<&str> = rules.iter().flat_map(JwtRule::output_headers).collect();
    crate::order::sort_by(&mut outputs, |a, b| a < b);
    for (rule, pointer) in rules.iter().zip(pointers) {
        for (index, location) in rule.locations.iter().enumerate() {
            if let Location::Header { name, .. } = location
                && outputs.binary_search(&&**name).is_ok()
            {
                let message =
                    format!("{} is a header that a rule sets for the upstream", Quoted(name));
                let place = format!("{pointer}/fromHeaders/{index}/name");
                return Err(LoadError::new(place, LoadProblem::Authentication(message)));
            }
        }
    }
    Ok(())
}

/// A setting for an issuer that no rule names is a mistake in the name: the rule that was meant
/// would be without it.
fn check_issuers(rules: &[JwtRule], settings: &SettingsSpec) -> Result<(), LoadError> {
    let keys = settings.symmetric_keys.iter().map(|key| &key.issuer).enumerate();
    let svids = settings.jwt_svid.iter().map(|svid| &svid.issuer).enumerate();
    let named = keys.map(|(index, issuer)| (format!("symmetricKeys/{index}/issuer"), issuer));
    let named =
        named.chain(svids.map(|(index, issuer)| (format!("jwtSvid/{index}/issuer"), issuer)));
    let discovered = settings.discovery.iter().enumerate();
    for (place, issuer) in
        named.chain(discovered.map(|(index, issuer)| (format!("discovery/{index}"), issuer)))
    {
        if !rules.iter().any(|rule| *rule.issuer == **issuer) {
            let message = format!("no jwtRules entry has the issuer {}", Quoted(issuer));
            return Err(settings::refuse(&place, message));
        }
    }
    Ok(())
}

fn read(resource: &Resource<'_>) -> Result<Spec, LoadError> {
    match resource.spec.map(Spec::read).transpose() {
        Ok(spec) => Ok(spec.unwrap_or_default()),
        Err(error) => Err(LoadError::decode(&format!("{}/spec", resource.pointer), &error)),
    }
}

/// One entry on its way.
struct RuleBuilder<'a> {
    pointer: String,
    spec: &'a RuleSpec,
    settings: &'a SettingsSpec,
    check: &'a dyn KeyCheck,
}

impl RuleBuilder<'_> {
    fn build(
        &self,
        sources: &mut Vec<KeySource>,
        findings: &mut Vec<Finding>,
    ) -> Result<JwtRule, LoadError> {
        let spec = self.spec;
        if spec.issuer.is_empty() {
            return Err(self.refuse("issuer", "the issuer is required: it chooses the keys"));
        }
        if spec.audiences.is_empty() {
            findings.push(self.finding(FindingCode::AudienceAny, "", &spec.issuer));
        }
        self.check_texts("audiences", &spec.audiences)?;
        findings.extend(self.literal_stars());
        self.check_texts("spaceDelimitedClaims", &spec.space_delimited_claims)?;
        let svid = self.settings.svid_domain(&spec.issuer)?;
        let keys = self.keys(svid.is_some(), sources, findings)?;
        let rule = JwtRule {
            issuer: spec.issuer.as_str().into(),
            audiences: spec.audiences.iter().map(|audience| audience.as_str().into()).collect(),
            keys,
            locations: self.locations()?,
            forward_original_token: spec.forward_original_token,
            output_payload_header: self.payload_header()?,
            output_claim_headers: self.claim_headers()?,
            space_delimited_claims: spec
                .space_delimited_claims
                .iter()
                .map(|claim| claim.as_str().into())
                .collect(),
            svid,
        };
        self.check_outputs_differ(&rule)?;
        Ok(rule)
    }

    /// Issuers and audiences compare byte for byte.
    fn literal_stars(&self) -> impl Iterator<Item = Finding> {
        let issuer = core::iter::once((String::from("/issuer"), &self.spec.issuer));
        let audiences = self.spec.audiences.iter().enumerate();
        let audiences = audiences.map(|(index, text)| (format!("/audiences/{index}"), text));
        let stars = issuer.chain(audiences).filter(|(_, text)| holds(text, b'*'));
        stars.map(|(below, text)| self.finding(FindingCode::LiteralStar, &below, text))
    }

    /// From settings, from the resource, or from afar; exactly one of them. A JWT-SVID has an
    /// asymmetric signature (JWT-SVID §2.1) and an audience that is checked (§4).
    fn keys(
        &self,
        svid: bool,
        sources: &mut Vec<KeySource>,
        findings: &mut Vec<Finding>,
    ) -> Result<RuleKeys, LoadError> {
        let secrets = self.secrets()?;
        if svid && (!secrets.is_empty() || self.spec.audiences.is_empty()) {
            return Err(self.refuse("", "JWT-SVIDs need audiences, and keys that are not secret"));
        }
        let profile = if svid { KeyProfile::Svid } else { KeyProfile::Jwt };
        let discovered = self.settings.discovery.contains(&self.spec.issuer);
        let inline = self.spec.jwks.as_str();
        match (inline, self.spec.jwks_uri.as_str(), secrets.is_empty(), discovered) {
            ("", "", false, false) => {
                findings.push(self.finding(FindingCode::SymmetricKey, "", &self.spec.issuer));
                let set = KeySet::of_secrets(secrets);
                Ok(RuleKeys::Inline(Arc::new(set.map_err(|error| self.refuse("", &error))?)))
            }
            (jwks, "", true, false) if !jwks.is_empty() => {
                let set = KeySet::parse(jwks.as_bytes(), profile, self.check)
                    .map_err(|error| self.keys_error(&error))?;
                for skipped in set.skipped() {
                    findings.push(self.finding(FindingCode::KeySkipped, "/jwks", &skipped));
                }
                Ok(RuleKeys::Inline(Arc::new(set)))
            }
            ("", uri, true, false) if !uri.is_empty() => {
                Ok(RuleKeys::Remote(self.source(uri, None, profile, sources, findings)?))
            }
            ("", "", true, true) => {
                let issuer = self.spec.issuer.as_str();
                let uri = metadata_uri(issuer).ok_or_else(|| {
                    self.refuse("issuer", "only an https address without a query is discovered")
                })?;
                Ok(RuleKeys::Remote(self.source(&uri, Some(issuer), profile, sources, findings)?))
            }
            ("", "", true, false) => Err(self.refuse(
                "",
                "no keys: give jwks, jwksUri, or an entry of settings.symmetricKeys or \
                 settings.discovery for this issuer",
            )),
            _ => Err(self.refuse(
                "",
                "jwks, jwksUri, settings.symmetricKeys and settings.discovery exclude each other",
            )),
        }
    }

    fn secrets(&self) -> Result<Vec<Key>, LoadError> {
        let mut keys = Vec::new();
        let named = self.settings.symmetric_keys.iter().enumerate();
        for (index, key) in named.filter(|(_, key)| key.issuer == self.spec.issuer) {
            let refuse = |member: &str, message: String| {
                settings::refuse(&format!("symmetricKeys/{index}/{member}"), message)
            };
            let algorithm = Algorithm::parse(&key.alg).filter(|algorithm| algorithm.is_symmetric());
            let algorithm =
                algorithm.ok_or_else(|| refuse("alg", "expected HS256, HS384 or HS512".into()))?;
            let secret = base64::decode_url(key.k.as_bytes())
                .ok_or_else(|| refuse("k", "not base64url without padding".into()))?;
            let key = Key::symmetric(&key.kid, algorithm, &secret)
                .map_err(|error| refuse("k", format!("{error}")))?;
            keys.push(key);
        }
        Ok(keys)
    }

    /// The remote set of this address, or of the issuer whose metadata are there; rules that name
    /// the same one share it.
    fn source(
        &self,
        uri: &str,
        discovered_by: Option<&str>,
        profile: KeyProfile,
        sources: &mut Vec<KeySource>,
        findings: &mut Vec<Finding>,
    ) -> Result<SourceId, LoadError> {
        let is_https_or_http = uri.starts_with("https://") || uri.starts_with("http://");
        if !is_https_or_http || uri.bytes().any(|byte| byte <= b' ' || byte >= 0x7f) {
            return Err(self.refuse("jwksUri", "expected an http or https address"));
        }
        if !uri.starts_with("https://") {
            findings.push(self.finding(FindingCode::KeysWithoutTls, "/jwksUri", &uri));
        }
        let cluster = self.settings.jwks.iter().find(|entry| entry.uri == uri);
        let mut refresh = self.settings.key_refresh.rules();
        if let Some(timeout) = &self.spec.timeout {
            refresh.timeout = duration(timeout).ok_or_else(|| {
                self.refuse("timeout", "expected a duration of at most a minute, such as 5s")
            })?;
        }
        let source = KeySource {
            uri: uri.into(),
            discovered_by: discovered_by.map(Into::into),
            cluster: cluster.map(|entry| entry.cluster.as_str().into()),
            profile,
            refresh,
        };
        let index = sources.iter().position(|known| *known == source).unwrap_or_else(|| {
            sources.push(source);
            sources.len().saturating_sub(1)
        });
        Ok(SourceId::new(index))
    }

    fn locations(&self) -> Result<Vec<Location>, LoadError> {
        let spec = self.spec;
        let mut locations = Vec::new();
        for (index, header) in spec.from_headers.iter().enumerate() {
            if !is_field_name(&header.name) {
                let place = format!("fromHeaders/{index}/name");
                return Err(self.refuse(&place, "not a header name (RFC 9110 section 5.1)"));
            }
            locations.push(Location::Header {
                name: header.name.to_ascii_lowercase().into(),
                prefix: header.prefix.as_str().into(),
            });
        }
        self.check_texts("fromParams", &spec.from_params)?;
        self.check_texts("fromCookies", &spec.from_cookies)?;
        locations
            .extend(spec.from_params.iter().map(|name| Location::Parameter(name.as_str().into())));
        locations
            .extend(spec.from_cookies.iter().map(|name| Location::Cookie(name.as_str().into())));
        if locations.is_empty() {
            locations = Location::istio_default();
        }
        Ok(locations)
    }

    fn payload_header(&self) -> Result<Option<alloc::boxed::Box<str>>, LoadError> {
        let name = self.spec.output_payload_to_header.as_str();
        if name.is_empty() {
            return Ok(None);
        }
        self.check_output_name("outputPayloadToHeader", name)?;
        Ok(Some(name.to_ascii_lowercase().into()))
    }

    fn claim_headers(&self) -> Result<Vec<ClaimHeader>, LoadError> {
        let mut headers = Vec::new();
        for (index, output) in self.spec.output_claim_to_headers.iter().enumerate() {
            let place = format!("outputClaimToHeaders/{index}");
            self.check_output_name(&format!("{place}/header"), &output.header)?;
            let claim: Vec<_> = output.claim.split('.').map(Into::into).collect();
            if output.claim.split('.').any(str::is_empty) {
                return Err(self.refuse(&format!("{place}/claim"), "a claim has a name"));
            }
            headers.push(ClaimHeader { header: output.header.to_ascii_lowercase().into(), claim });
        }
        Ok(headers)
    }

    /// An output header is removed from every request, so it must not be one that carries it, that
    /// routes it, that says who calls, or that Lychgate sets itself.
    fn check_output_name(&self, place: &str, name: &str) -> Result<(), LoadError> {
        let vital = VITAL.iter().any(|vital| vital.eq_ignore_ascii_case(name));
        let forwarded = ForwardedHeader::ALL.map(ForwardedHeader::name);
        let says_who = forwarded.iter().any(|header| header.eq_ignore_ascii_case(name));
        if !is_field_name(name) || vital || says_who || HandOff::is_own(name.as_bytes()) {
            return Err(self.refuse(place, "not the name of a header that can be handed on"));
        }
        Ok(())
    }

    /// Two values for one header leave open which of them the upstream gets.
    fn check_outputs_differ(&self, rule: &JwtRule) -> Result<(), LoadError> {
        let mut names: Vec<&str> = rule.output_payload_header.as_deref().into_iter().collect();
        for (index, output) in rule.output_claim_headers.iter().enumerate() {
            if names.contains(&&*output.header) {
                let place = format!("outputClaimToHeaders/{index}/header");
                return Err(self.refuse(&place, "this rule sets the header already"));
            }
            names.push(&output.header);
        }
        Ok(())
    }

    fn check_texts(&self, member: &str, texts: &[String]) -> Result<(), LoadError> {
        match texts.iter().position(String::is_empty) {
            None => Ok(()),
            Some(index) => Err(self.refuse(&format!("{member}/{index}"), "must not be empty")),
        }
    }

    fn keys_error(&self, error: &crate::jwt::KeySetError) -> LoadError {
        LoadError::new(format!("{}/jwks", self.pointer), LoadProblem::Keys(format!("{error}")))
    }

    fn refuse(&self, member: &str, message: &(impl Display + ?Sized)) -> LoadError {
        let separator = if member.is_empty() { "" } else { "/" };
        LoadError::new(
            format!("{}{separator}{member}", self.pointer),
            LoadProblem::Authentication(format!("{message}")),
        )
    }

    fn finding(&self, code: FindingCode, below: &str, detail: &impl Display) -> Finding {
        Finding::new(code, format!("{}{below}", self.pointer), format!("{detail}"))
    }
}

/// A protobuf duration in JSON, `5s` or `0.5s`, between a millisecond and a minute.
fn duration(text: &str) -> Option<Milliseconds> {
    let (whole, fraction) = match text.strip_suffix('s')?.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (text.strip_suffix('s')?, ""),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let milliseconds = fraction.get(..fraction.len().min(3)).unwrap_or("");
    let milliseconds: u64 = format!("{milliseconds:0<3}").parse().ok()?;
    let total = whole.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(milliseconds)?;
    (1..=60_000).contains(&total).then_some(Milliseconds(total))
}

/// A token of RFC 9110 §5.6.2.
fn is_field_name(name: &str) -> bool {
    let tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.len() <= limits::KID_BYTES && name.bytes().all(tchar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_seconds_with_a_fraction() {
        for (text, expected) in [
            ("5s", Some(5000)),
            ("0.25s", Some(250)),
            ("0.001s", Some(1)),
            ("60s", Some(60_000)),
            ("60.001s", None),
            ("0s", None),
            ("5", None),
            ("5m", None),
            ("-1s", None),
            (".5s", None),
            ("", None),
        ] {
            assert_eq!(duration(text), expected.map(Milliseconds), "{text}");
        }
    }

    #[test]
    fn a_field_name_is_a_token() {
        assert!(is_field_name("x-Claim_1"));
        for name in ["", "a b", "a:", "ä", "a\n"] {
            assert!(!is_field_name(name), "{name}");
        }
    }
}
