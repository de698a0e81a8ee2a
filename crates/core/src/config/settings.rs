//! The `settings` object of a bundle: closed, every member optional, every default stated.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::error::{LoadError, LoadProblem};
use crate::authn::{Acceptance, Milliseconds, RefreshRules};
use crate::finding::{Finding, FindingCode};
use crate::json::{DecodeError, Fields, Quoted, Value, joined};
use crate::jwt::TimeRules;
use crate::limits;
use crate::order;
use crate::request::{ForwardedHeader, PathForm, PathForms, TrustedHop};
use crate::ruleset::Settings;
use crate::spiffe::{SpiffeId, TrustDomain};
use crate::time::Seconds;

/// As it is written. `docs/settings.md` explains each member.
#[derive(Debug, Clone)]
pub(super) struct SettingsSpec {
    pub(super) clock_skew_seconds: u64,
    pub(super) require_exp: bool,
    pub(super) max_lifetime_seconds: Option<u64>,
    pub(super) required_claims: Vec<String>,
    pub(super) accepted_path_forms: Vec<String>,
    pub(super) trusted_hops: Vec<TrustedHopSpec>,
    pub(super) symmetric_keys: Vec<SymmetricKeySpec>,
    pub(super) jwt_svid: Vec<JwtSvidSpec>,
    pub(super) jwks: Vec<JwksSpec>,
    pub(super) discovery: Vec<String>,
    pub(super) key_refresh: KeyRefreshSpec,
    pub(super) realm: String,
    pub(super) limits: LimitsSpec,
    pub(super) cors_preflight_skips_authentication: bool,
    pub(super) public_reasons: bool,
    pub(super) shadow: bool,
    pub(super) source_address_is_peer: bool,
    pub(super) allow_unrestricted: bool,
    pub(super) identity_headers: bool,
}

impl Default for SettingsSpec {
    fn default() -> Self {
        Self {
            clock_skew_seconds: 60,
            require_exp: true,
            max_lifetime_seconds: None,
            required_claims: Vec::new(),
            accepted_path_forms: Vec::new(),
            trusted_hops: Vec::new(),
            symmetric_keys: Vec::new(),
            jwt_svid: Vec::new(),
            jwks: Vec::new(),
            discovery: Vec::new(),
            key_refresh: KeyRefreshSpec::default(),
            realm: "lychgate".into(),
            limits: LimitsSpec::default(),
            cors_preflight_skips_authentication: true,
            public_reasons: false,
            shadow: false,
            source_address_is_peer: false,
            allow_unrestricted: false,
            identity_headers: true,
        }
    }
}

impl SettingsSpec {
    const MEMBERS: [&str; 19] = [
        "clockSkewSeconds",
        "requireExp",
        "maxLifetimeSeconds",
        "requiredClaims",
        "acceptedPathForms",
        "trustedHops",
        "symmetricKeys",
        "jwtSvid",
        "jwks",
        "discovery",
        "keyRefresh",
        "realm",
        "limits",
        "corsPreflightSkipsAuthentication",
        "publicReasons",
        "shadow",
        "sourceAddressIsPeer",
        "allowUnrestricted",
        "identityHeaders",
    ];

    pub(super) fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::closed(value, &Self::MEMBERS)?;
        let default = Self::default();
        let cors_preflight = default.cors_preflight_skips_authentication;
        let refresh = fields.member("keyRefresh", KeyRefreshSpec::read)?;
        let limits = fields.member("limits", LimitsSpec::read)?;
        Ok(Self {
            clock_skew_seconds: fields.number("clockSkewSeconds", default.clock_skew_seconds)?,
            require_exp: fields.flag("requireExp", default.require_exp)?,
            max_lifetime_seconds: fields.optional("maxLifetimeSeconds", Value::whole_number)?,
            required_claims: fields.texts("requiredClaims")?,
            accepted_path_forms: fields.texts("acceptedPathForms")?,
            trusted_hops: fields.list("trustedHops", TrustedHopSpec::read)?,
            symmetric_keys: fields.list("symmetricKeys", SymmetricKeySpec::read)?,
            jwt_svid: fields.list("jwtSvid", JwtSvidSpec::read)?,
            jwks: fields.list("jwks", JwksSpec::read)?,
            discovery: fields.texts("discovery")?,
            key_refresh: refresh.unwrap_or(default.key_refresh),
            realm: fields.member("realm", Value::string)?.unwrap_or(default.realm),
            limits: limits.unwrap_or(default.limits),
            cors_preflight_skips_authentication: fields
                .flag("corsPreflightSkipsAuthentication", cors_preflight)?,
            public_reasons: fields.flag("publicReasons", default.public_reasons)?,
            shadow: fields.flag("shadow", default.shadow)?,
            source_address_is_peer: fields
                .flag("sourceAddressIsPeer", default.source_address_is_peer)?,
            allow_unrestricted: fields.flag("allowUnrestricted", default.allow_unrestricted)?,
            identity_headers: fields.flag("identityHeaders", default.identity_headers)?,
        })
    }
}

#[derive(Debug, Clone)]
pub(super) struct TrustedHopSpec {
    pub(super) spiffe_id: String,
    pub(super) header: String,
}

impl TrustedHopSpec {
    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::closed(value, &["spiffeId", "header"])?;
        Ok(Self { spiffe_id: fields.text("spiffeId")?, header: fields.text("header")? })
    }
}

/// Holds a secret, so it has no `Debug`.
#[derive(Clone)]
pub(super) struct SymmetricKeySpec {
    pub(super) issuer: String,
    pub(super) kid: String,
    pub(super) alg: String,
    pub(super) k: String,
}

impl SymmetricKeySpec {
    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::closed(value, &["issuer", "kid", "alg", "k"])?;
        Ok(Self {
            issuer: fields.text("issuer")?,
            kid: fields.text("kid")?,
            alg: fields.text("alg")?,
            k: fields.text("k")?,
        })
    }
}

impl core::fmt::Debug for SymmetricKeySpec {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SymmetricKeySpec").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
pub(super) struct JwtSvidSpec {
    pub(super) issuer: String,
    pub(super) trust_domain: String,
}

impl JwtSvidSpec {
    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::closed(value, &["issuer", "trustDomain"])?;
        Ok(Self { issuer: fields.text("issuer")?, trust_domain: fields.text("trustDomain")? })
    }
}

#[derive(Debug, Clone)]
pub(super) struct JwksSpec {
    pub(super) uri: String,
    pub(super) cluster: String,
}

impl JwksSpec {
    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::closed(value, &["uri", "cluster"])?;
        Ok(Self { uri: fields.text("uri")?, cluster: fields.text("cluster")? })
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct KeyRefreshSpec {
    pub(super) interval_seconds: u64,
    pub(super) cooldown_seconds: u64,
    pub(super) max_stale_seconds: u64,
    pub(super) timeout_milliseconds: u64,
    pub(super) wait_milliseconds: u64,
}

impl Default for KeyRefreshSpec {
    fn default() -> Self {
        Self {
            interval_seconds: 300,
            cooldown_seconds: 30,
            max_stale_seconds: 86_400,
            timeout_milliseconds: 5_000,
            wait_milliseconds: 200,
        }
    }
}

impl KeyRefreshSpec {
    const MEMBERS: [&str; 5] = [
        "intervalSeconds",
        "cooldownSeconds",
        "maxStaleSeconds",
        "timeoutMilliseconds",
        "waitMilliseconds",
    ];

    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::closed(value, &Self::MEMBERS)?;
        let default = Self::default();
        Ok(Self {
            interval_seconds: fields.number("intervalSeconds", default.interval_seconds)?,
            cooldown_seconds: fields.number("cooldownSeconds", default.cooldown_seconds)?,
            max_stale_seconds: fields.number("maxStaleSeconds", default.max_stale_seconds)?,
            timeout_milliseconds: fields
                .number("timeoutMilliseconds", default.timeout_milliseconds)?,
            wait_milliseconds: fields.number("waitMilliseconds", default.wait_milliseconds)?,
        })
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct LimitsSpec {
    pub(super) token_bytes: usize,
    pub(super) header_bytes: usize,
    pub(super) target_bytes: usize,
}

impl Default for LimitsSpec {
    fn default() -> Self {
        Self {
            token_bytes: limits::TOKEN_BYTES,
            header_bytes: limits::HEADER_BYTES,
            target_bytes: limits::TARGET_BYTES,
        }
    }
}

impl LimitsSpec {
    fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::closed(value, &["tokenBytes", "headerBytes", "targetBytes"])?;
        let bytes = |name: &str, default: usize| {
            let bytes = fields.member(name, Value::size)?;
            Ok(bytes.unwrap_or(default))
        };
        let default = Self::default();
        Ok(Self {
            token_bytes: bytes("tokenBytes", default.token_bytes)?,
            header_bytes: bytes("headerBytes", default.header_bytes)?,
            target_bytes: bytes("targetBytes", default.target_bytes)?,
        })
    }
}

impl KeyRefreshSpec {
    pub(super) fn rules(&self) -> RefreshRules {
        RefreshRules {
            interval: Seconds(self.interval_seconds),
            cooldown: Seconds(self.cooldown_seconds),
            max_stale: Seconds(self.max_stale_seconds),
            timeout: Milliseconds(self.timeout_milliseconds),
            wait: Milliseconds(self.wait_milliseconds),
        }
    }
}

impl SettingsSpec {
    /// Refuses what is outside its range; what a type can't hold is refused where it is built.
    pub(super) fn check(&self) -> Result<(), LoadError> {
        let refresh = &self.key_refresh;
        within("clockSkewSeconds", self.clock_skew_seconds, 0, 300)?;
        within("maxLifetimeSeconds", self.max_lifetime_seconds.unwrap_or(1), 1, u64::MAX)?;
        within("keyRefresh/intervalSeconds", refresh.interval_seconds, 10, 86_400)?;
        within("keyRefresh/cooldownSeconds", refresh.cooldown_seconds, 1, 3_600)?;
        within("keyRefresh/maxStaleSeconds", refresh.max_stale_seconds, 0, 604_800)?;
        within("keyRefresh/timeoutMilliseconds", refresh.timeout_milliseconds, 100, 60_000)?;
        within("keyRefresh/waitMilliseconds", refresh.wait_milliseconds, 0, 5_000)?;
        let limits = &self.limits;
        at_most("limits/tokenBytes", limits.token_bytes, limits::TOKEN_BYTES)?;
        at_most("limits/headerBytes", limits.header_bytes, limits::HEADER_BYTES)?;
        at_most("limits/targetBytes", limits.target_bytes, limits::TARGET_BYTES)?;
        let hops = self.trusted_hops.iter().map(|hop| &hop.spiffe_id);
        once("trustedHops", "/spiffeId", hops)?;
        once("jwtSvid", "/issuer", self.jwt_svid.iter().map(|svid| &svid.issuer))?;
        once("jwks", "/uri", self.jwks.iter().map(|entry| &entry.uri))?;
        once("discovery", "", self.discovery.iter())?;
        let printable = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
        if !self.realm.bytes().all(printable) || self.realm.len() > 256 {
            return Err(refuse(
                "realm",
                "a realm is at most 256 printable ASCII characters without quotes and backslashes"
                    .into(),
            ));
        }
        Ok(())
    }
}

impl SettingsSpec {
    /// What is read while deciding.
    pub(super) fn build(&self) -> Result<Settings, LoadError> {
        self.jwt_svid.iter().enumerate().try_for_each(|svid| trust_domain(svid).map(drop))?;
        Ok(Settings {
            path_forms: self.path_forms()?,
            trusted_hops: self.hops()?,
            realm: self.realm.clone(),
            header_bytes: self.limits.header_bytes,
            target_bytes: self.limits.target_bytes,
            cors_preflight_skips_authentication: self.cors_preflight_skips_authentication,
            public_reasons: self.public_reasons,
            shadow: self.shadow,
        })
    }

    pub(super) fn acceptance(&self) -> Acceptance {
        Acceptance {
            times: TimeRules {
                clock_skew: Seconds(self.clock_skew_seconds),
                require_exp: self.require_exp,
                max_lifetime: self.max_lifetime_seconds.map(Seconds),
            },
            required_claims: self.required_claims.iter().map(|name| name.as_str().into()).collect(),
            token_bytes: self.limits.token_bytes,
        }
    }

    /// What the settings loosen.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let forms = !self.accepted_path_forms.is_empty();
        let loosened = [
            (self.shadow, FindingCode::Shadow, "shadow"),
            (forms, FindingCode::PathForms, "acceptedPathForms"),
            (self.allow_unrestricted, FindingCode::UnrestrictedAllowed, "allowUnrestricted"),
            (!self.require_exp, FindingCode::ExpOptional, "requireExp"),
        ];
        let noted =
            |(_, code, member)| Finding::new(code, format!("/settings/{member}"), String::new());
        loosened.into_iter().filter(|(is_so, ..)| *is_so).map(noted).collect()
    }

    /// The trust domain of an issuer's JWT-SVIDs, if that is what its tokens are.
    pub(super) fn svid_domain(&self, issuer: &str) -> Result<Option<TrustDomain>, LoadError> {
        let mut entries = self.jwt_svid.iter().enumerate();
        entries.find(|(_, svid)| svid.issuer == issuer).map(trust_domain).transpose()
    }

    fn path_forms(&self) -> Result<PathForms, LoadError> {
        let form = |(index, name): (usize, &String)| {
            PathForm::parse(name).ok_or_else(|| {
                let known = joined(&PathForm::ACCEPTABLE.map(PathForm::name), ", ");
                let place = format!("acceptedPathForms/{index}");
                refuse(
                    &place,
                    format!("{} is no form that can be accepted; these are: {known}", Quoted(name)),
                )
            })
        };
        self.accepted_path_forms.iter().enumerate().map(form).collect()
    }

    fn hops(&self) -> Result<Vec<TrustedHop>, LoadError> {
        let hop = |(index, hop): (usize, &TrustedHopSpec)| {
            let place = |member: &str| format!("trustedHops/{index}/{member}");
            let id = SpiffeId::parse(hop.spiffe_id.as_bytes())
                .map_err(|error| refuse(&place("spiffeId"), format!("{error}")))?;
            let header = ForwardedHeader::parse(&hop.header).ok_or_else(|| {
                let known = joined(&ForwardedHeader::ALL.map(ForwardedHeader::name), " or ");
                refuse(&place("header"), format!("expected {known}"))
            })?;
            Ok(TrustedHop { id, header })
        };
        self.trusted_hops.iter().enumerate().map(hop).collect()
    }
}

fn trust_domain((index, svid): (usize, &JwtSvidSpec)) -> Result<TrustDomain, LoadError> {
    TrustDomain::parse(&svid.trust_domain).map_err(|error| {
        let place = format!("jwtSvid/{index}/trustDomain");
        refuse(&place, format!("{} is no trust domain: {error}", Quoted(&svid.trust_domain)))
    })
}

fn within(name: &str, value: u64, least: u64, most: u64) -> Result<(), LoadError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(refuse(name, format!("{value} is outside {least} to {most}")))
}

/// Refuses a second entry for the same thing: only one could count.
fn once<'a>(
    list: &str,
    member: &str,
    keys: impl Iterator<Item = &'a String> + Clone,
) -> Result<(), LoadError> {
    let repeated = order::repeated(keys.clone().map(String::as_str));
    match keys.enumerate().find(|(index, _)| Some(*index) == repeated) {
        None => Ok(()),
        Some((index, key)) => Err(refuse(
            &format!("{list}/{index}{member}"),
            format!("{} has an entry already", Quoted(key)),
        )),
    }
}

fn at_most(name: &str, value: usize, most: usize) -> Result<(), LoadError> {
    if (1..=most).contains(&value) {
        return Ok(());
    }
    Err(refuse(name, format!("{value} is outside 1 to {most}: a limit can only be lowered")))
}

pub(super) fn refuse(name: &str, message: String) -> LoadError {
    LoadError::new(format!("/settings/{name}"), LoadProblem::Setting(message))
}
