//! Tokens made on the spot with throw-away keys, which the policy under test is given as keys of its
//! issuers.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use jwt_simple::reexports::ct_codecs::{Base64UrlSafeNoPadding, Encoder as _};
use lychgate_core::time::UnixTime;
use serde_json::{Map, Value, json};

use super::spec::{MintedToken, Signer};
use crate::clock::Span;
use crate::jwk::{Exported, SigningAlgorithm, SigningKey};
use crate::shape::{Word as _, words};

/// The name of every throw-away key.
const KID: &str = "lychgate-test";

/// How long a token is valid that says nothing about it.
const LIFETIME: Span = Span { seconds: 300 };

words! {
    /// A signature algorithm of a token that is made.
    pub(crate) enum Algorithm {
        /// RSA with PKCS#1 padding and SHA-256.
        Rs256 = "RS256",
        /// RSA with PSS padding and SHA-256.
        Ps256 = "PS256",
        /// ECDSA over P-256.
        Es256 = "ES256",
        /// ECDSA over P-384.
        Es384 = "ES384",
        /// Ed25519.
        EdDsa = "EdDSA",
        /// HMAC with SHA-256, for issuers with `symmetricKeys`.
        Hs256 = "HS256",
        /// No signature.
        None = "none",
    }
}

impl Algorithm {
    const fn signing(self) -> Option<SigningAlgorithm> {
        Some(match self {
            Self::Rs256 => SigningAlgorithm::RS256,
            Self::Ps256 => SigningAlgorithm::PS256,
            Self::Es256 => SigningAlgorithm::ES256,
            Self::Es384 => SigningAlgorithm::ES384,
            Self::EdDsa => SigningAlgorithm::EdDSA,
            Self::Hs256 => SigningAlgorithm::HS256,
            Self::None => return None,
        })
    }

    /// The name of the throw-away key for it: names in a set are unique.
    fn kid(self) -> String {
        format!("{KID}-{}", self.word().to_ascii_lowercase())
    }
}

/// How an issuer of a policy signs, so that a token without `alg` is one of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IssuerKind {
    /// With a key pair.
    KeyPair,
    /// With a key pair, JWT-SVIDs.
    Svid,
    /// With a secret.
    Secret,
}

/// Throw-away keys, the issuers that use them, and the tokens made so far.
pub(crate) struct KeyRing {
    keys: BTreeMap<(Algorithm, Signer), SigningKey>,
    issuers: Vec<(String, IssuerKind)>,
    /// The first audience of each issuer that demands one.
    audiences: Vec<(String, String)>,
    minted: HashMap<String, String>,
}

impl KeyRing {
    /// Makes keys for these algorithms; keys of an RSA algorithm take a second.
    pub(crate) fn new(algorithms: &BTreeSet<Algorithm>) -> Result<Self, TokenError> {
        let mut keys = BTreeMap::new();
        for algorithm in algorithms {
            let Some(signing) = algorithm.signing() else { continue };
            for signer in [Signer::Issuer, Signer::Stranger] {
                let key = SigningKey::generate(signing, &algorithm.kid(), 2048);
                keys.insert((*algorithm, signer), key.map_err(|e| TokenError(e.to_string()))?);
            }
        }
        Ok(Self { keys, issuers: Vec::new(), audiences: Vec::new(), minted: HashMap::new() })
    }

    /// The algorithms that tokens without `alg` may need.
    pub(crate) const DEFAULT: [Algorithm; 3] =
        [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Hs256];

    /// The issuers of the policy.
    pub(crate) fn issuers(&self) -> impl Iterator<Item = &str> {
        self.issuers.iter().map(|(issuer, _)| issuer.as_str())
    }

    /// An audience that an issuer's tokens may have, where it must be one of some.
    pub(crate) fn audience(&self, issuer: &str) -> Option<&str> {
        self.audiences
            .iter()
            .find(|(known, _)| known == issuer)
            .map(|(_, audience)| audience.as_str())
    }

    /// Adds the throw-away keys to the issuers of a bundle.
    ///
    /// Keys that the policy names itself stay, so tokens that were made elsewhere are accepted too.
    pub(crate) fn enrol(&mut self, bundle: &str) -> Option<String> {
        let mut bundle: Value = serde_json::from_str(bundle).ok()?;
        let svid: Vec<Value> = bundle
            .pointer("/settings/jwtSvid")
            .and_then(Value::as_array)
            .map(|list| list.iter().filter_map(|entry| entry.get("issuer").cloned()).collect())
            .unwrap_or_default();
        let mut secrets = Vec::new();
        for resource in bundle.get_mut("resources")?.as_array_mut()? {
            let rules = resource.pointer_mut("/spec/jwtRules").and_then(Value::as_array_mut);
            for rule in rules.into_iter().flatten().filter_map(Value::as_object_mut) {
                let Some(Value::String(issuer)) = rule.get("issuer").cloned() else { continue };
                let kind = if svid.contains(&json!(issuer)) {
                    IssuerKind::Svid
                } else if rule.contains_key("jwks") || rule.contains_key("jwksUri") {
                    IssuerKind::KeyPair
                } else {
                    IssuerKind::Secret
                };
                if let Some(Value::String(set)) = rule.get_mut("jwks") {
                    *set = self.with_public_keys(set, kind);
                }
                if kind == IssuerKind::Secret {
                    secrets.extend(self.symmetric_key(&issuer));
                }
                let audience = rule.get("audiences").and_then(|list| list.get(0)?.as_str());
                let audience = audience.map(|audience| (issuer.clone(), audience.to_owned()));
                self.audiences.extend(audience);
                self.remember(issuer, kind);
            }
        }
        if !secrets.is_empty() {
            let settings = bundle.as_object_mut()?.entry("settings").or_insert_with(|| json!({}));
            let keys =
                settings.as_object_mut()?.entry("symmetricKeys").or_insert_with(|| json!([]));
            keys.as_array_mut()?.append(&mut secrets);
        }
        Some(bundle.to_string())
    }

    /// A remote set with the throw-away keys, for issuers whose keys are fetched.
    pub(crate) fn remote_set(&self, set: Option<&str>, svid: bool) -> String {
        let kind = if svid { IssuerKind::Svid } else { IssuerKind::KeyPair };
        self.with_public_keys(set.unwrap_or(r#"{"keys":[]}"#), kind)
    }

    fn remember(&mut self, issuer: String, kind: IssuerKind) {
        if !self.issuers.iter().any(|(known, _)| *known == issuer) {
            self.issuers.push((issuer, kind));
        }
    }

    /// The set with ours; a text that is no set is left as it is, for core to refuse.
    fn with_public_keys(&self, set: &str, kind: IssuerKind) -> String {
        let Ok(mut parsed) = serde_json::from_str::<Value>(set) else { return set.to_owned() };
        let Some(list) = parsed.get_mut("keys").and_then(Value::as_array_mut) else {
            return set.to_owned();
        };
        for ((algorithm, signer), key) in &self.keys {
            let public = key.public_jwk().filter(|_| *signer == Signer::Issuer);
            let public =
                public.and_then(|text| serde_json::from_str::<Map<String, Value>>(&text).ok());
            let Some(mut jwk) = public else { continue };
            // JWT-SVIDs are not signed with Ed25519, and sets hold keys for their own use only.
            if kind == IssuerKind::Svid && *algorithm == Algorithm::EdDsa {
                continue;
            }
            let usage = if kind == IssuerKind::Svid { "jwt-svid" } else { "sig" };
            jwk.insert("use".to_owned(), json!(usage));
            jwk.insert("alg".to_owned(), json!(algorithm.word()));
            list.push(Value::Object(jwk));
        }
        parsed.to_string()
    }

    fn symmetric_key(&self, issuer: &str) -> Option<Value> {
        let key = self.keys.get(&(Algorithm::Hs256, Signer::Issuer))?;
        let Exported::Secret(secret) = key.export() else { return None };
        let secret = Base64UrlSafeNoPadding::encode_to_string(secret).ok()?;
        let kid = Algorithm::Hs256.kid();
        Some(json!({ "issuer": issuer, "kid": kid, "alg": "HS256", "k": secret }))
    }

    /// Makes a token at a time. The same token of the same time is made once.
    pub(crate) fn mint(&mut self, spec: &MintedToken, now: UnixTime) -> Result<String, TokenError> {
        let claims = self.claims(spec, now)?;
        let issuer = claims.get("iss").and_then(Value::as_str);
        let kind = self.issuers.iter().find(|(known, _)| Some(known.as_str()) == issuer);
        let algorithm = spec.algorithm.unwrap_or(match kind.map(|(_, kind)| kind) {
            Some(IssuerKind::Svid) => Algorithm::Es256,
            Some(IssuerKind::Secret) => Algorithm::Hs256,
            Some(IssuerKind::KeyPair) | None => Algorithm::EdDsa,
        });
        let signer = spec.signed_by.unwrap_or(Signer::Issuer);
        let name = json!([claims, algorithm.word(), signer.word(), spec.kid, spec.typ]).to_string();
        if let Some(token) = self.minted.get(&name) {
            return Ok(token.clone());
        }
        let token = self.sign(claims, algorithm, signer, spec)?;
        self.minted.insert(name, token.clone());
        Ok(token)
    }

    fn claims(&self, spec: &MintedToken, now: UnixTime) -> Result<Map<String, Value>, TokenError> {
        let now = i64::try_from(now.seconds()).unwrap_or(i64::MAX);
        let mut claims = Map::new();
        if let Some(issuer) = self.only_issuer(spec)? {
            claims.insert("iss".to_owned(), json!(issuer));
        }
        let at = |span: Span| json!(span.after(now));
        claims.insert("iat".to_owned(), at(spec.issued_in.unwrap_or(Span { seconds: 0 })));
        claims.insert("exp".to_owned(), at(spec.expires_in.unwrap_or(LIFETIME)));
        if let Some(span) = spec.not_before_in {
            claims.insert("nbf".to_owned(), at(span));
        }
        for (name, value) in &spec.claims.0 {
            if value.0.is_null() {
                claims.remove(name);
            } else {
                claims.insert(name.clone(), value.0.clone());
            }
        }
        Ok(claims)
    }

    fn only_issuer(&self, spec: &MintedToken) -> Result<Option<&str>, TokenError> {
        if spec.claims.get("iss").is_some() {
            return Ok(None);
        }
        match self.issuers.as_slice() {
            [(only, _)] => Ok(Some(only)),
            [] => Err(TokenError("name `iss`: the policy accepts no tokens at all".to_owned())),
            several => {
                let names: Vec<_> = several.iter().map(|(issuer, _)| issuer.as_str()).collect();
                Err(TokenError(format!("name `iss`: the policy has {}", names.join(" and "))))
            }
        }
    }

    fn sign(
        &self,
        claims: Map<String, Value>,
        algorithm: Algorithm,
        signer: Signer,
        spec: &MintedToken,
    ) -> Result<String, TokenError> {
        let typ = spec.typ.as_deref().unwrap_or("JWT");
        let Some(signing) = algorithm.signing() else { return unsigned(&claims, typ) };
        let failed = |error: &dyn fmt::Display| TokenError(error.to_string());
        let key = self.keys.get(&(algorithm, signer)).ok_or_else(|| failed(&"no such key"))?;
        match &spec.kid {
            None => key.sign(claims, Some(typ)).map_err(|error| failed(&error)),
            Some(kid) => {
                let key = renamed(key, signing, kid).ok_or_else(|| failed(&"no such key"))?;
                key.sign(claims, Some(typ)).map_err(|error| failed(&error))
            }
        }
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("issuers", &self.issuers).finish_non_exhaustive()
    }
}

/// The same key under another name.
fn renamed(key: &SigningKey, algorithm: SigningAlgorithm, kid: &str) -> Option<SigningKey> {
    match key.export() {
        Exported::Secret(secret) => SigningKey::from_secret(algorithm, Some(kid), &secret),
        Exported::Jwk(text) => {
            let mut jwk: Map<String, Value> = serde_json::from_str(&text).ok()?;
            jwk.insert("kid".to_owned(), json!(kid));
            SigningKey::from_jwk(algorithm, &Value::Object(jwk).to_string()).ok()
        }
    }
}

fn unsigned(claims: &Map<String, Value>, typ: &str) -> Result<String, TokenError> {
    let part = |value: String| {
        Base64UrlSafeNoPadding::encode_to_string(value).map_err(|e| TokenError(e.to_string()))
    };
    let header = part(json!({ "alg": "none", "typ": typ }).to_string())?;
    Ok(format!("{header}.{}.", part(json!(claims).to_string())?))
}

/// Why a token can't be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenError(pub(crate) String);
