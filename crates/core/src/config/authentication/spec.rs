//! What a RequestAuthentication says, read but not yet understood.

use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{DecodeError, Fields, Value};

#[derive(Debug, Default)]
pub(super) struct Spec {
    pub(super) jwt_rules: Vec<RuleSpec>,
}

impl Spec {
    /// The members that select workloads have been read already.
    pub(super) fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::closed(value, &["selector", "targetRef", "targetRefs", "jwtRules"])?;
        Ok(Self { jwt_rules: fields.list("jwtRules", RuleSpec::read)? })
    }
}

#[derive(Debug, Default)]
pub(super) struct RuleSpec {
    pub(super) issuer: String,
    pub(super) audiences: Vec<String>,
    pub(super) jwks_uri: String,
    pub(super) jwks: String,
    pub(super) from_headers: Vec<HeaderSpec>,
    pub(super) from_params: Vec<String>,
    pub(super) from_cookies: Vec<String>,
    pub(super) output_payload_to_header: String,
    pub(super) forward_original_token: bool,
    pub(super) output_claim_to_headers: Vec<ClaimHeaderSpec>,
    pub(super) timeout: Option<String>,
    pub(super) space_delimited_claims: Vec<String>,
}

impl RuleSpec {
    const MEMBERS: [&str; 13] = [
        "issuer",
        "audiences",
        "jwksUri",
        "jwks_uri",
        "jwks",
        "fromHeaders",
        "fromParams",
        "fromCookies",
        "outputPayloadToHeader",
        "forwardOriginalToken",
        "outputClaimToHeaders",
        "timeout",
        "spaceDelimitedClaims",
    ];

    pub(super) fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::closed(value, &Self::MEMBERS)?;
        let old_spelling = fields.member("jwks_uri", Value::string)?;
        let jwks_uri = match (fields.member("jwksUri", Value::string)?, old_spelling) {
            (Some(_), Some(_)) => return Err(DecodeError::new("duplicate field `jwksUri`")),
            (one, other) => one.or(other).unwrap_or_default(),
        };
        Ok(Self {
            issuer: fields.text_or_empty("issuer")?,
            audiences: fields.texts("audiences")?,
            jwks_uri,
            jwks: fields.text_or_empty("jwks")?,
            from_headers: fields.list("fromHeaders", HeaderSpec::read)?,
            from_params: fields.texts("fromParams")?,
            from_cookies: fields.texts("fromCookies")?,
            output_payload_to_header: fields.text_or_empty("outputPayloadToHeader")?,
            forward_original_token: fields.flag("forwardOriginalToken", false)?,
            output_claim_to_headers: fields.list("outputClaimToHeaders", ClaimHeaderSpec::read)?,
            timeout: fields.optional("timeout", Value::string)?,
            space_delimited_claims: fields.texts("spaceDelimitedClaims")?,
        })
    }
}

#[derive(Debug)]
pub(super) struct HeaderSpec {
    pub(super) name: String,
    pub(super) prefix: String,
}

impl HeaderSpec {
    pub(super) fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::closed(value, &["name", "prefix"])?;
        Ok(Self { name: fields.text("name")?, prefix: fields.text_or_empty("prefix")? })
    }
}

#[derive(Debug)]
pub(super) struct ClaimHeaderSpec {
    pub(super) header: String,
    pub(super) claim: String,
}

impl ClaimHeaderSpec {
    pub(super) fn read(value: Value<'_>) -> Result<Self, DecodeError> {
        let fields = Fields::closed(value, &["header", "claim"])?;
        Ok(Self { header: fields.text("header")?, claim: fields.text("claim")? })
    }
}
