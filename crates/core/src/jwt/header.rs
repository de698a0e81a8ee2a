//! The JOSE header of a token (RFC 7515 §4).

use alloc::sync::Arc;
use core::fmt;

use super::key::Algorithm;
use crate::decision::Reason;
use crate::json::{Document, JsonError, Value};
use crate::limits;

/// Members that change what a token means, in ways that we do not implement: their presence alone
/// refuses it. `crit` and `b64`: RFC 7515 §4.1.11, RFC 7797; `zip`, `enc`: encrypted or compressed
/// content; `cty`: a nested token (RFC 7519 §5.2).
const REFUSED: [&str; 5] = ["crit", "b64", "zip", "enc", "cty"];

/// The types of token that are accepted, without `application/` (RFC 7519 §5.1, RFC 9068 §2.1).
const TYPES: [&str; 3] = ["JWT", "JOSE", "at+jwt"];

/// What a token's header says, as far as it is looked at.
///
/// Keys that a header carries or points to (`jwk`, `jku`, `x5c`, `x5u`) are never used or fetched
/// (RFC 8725 §3.10): a key comes from the policy's own sets only.
#[derive(Clone)]
pub struct JoseHeader {
    algorithm: Algorithm,
    key_id: Option<Arc<str>>,
    only_svid_members: bool,
    svid_type: bool,
}

/// Why a header is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderError {
    /// Not JSON as we accept it; duplicate members are not.
    Json(JsonError),
    /// Not a JSON object.
    NotObject,
    /// `alg` is absent.
    AlgorithmMissing,
    /// `alg` is no string, or a name that we do not verify; `none` is one of these.
    AlgorithmUnknown,
    /// `kid` is no string of 1 to [`limits::KID_BYTES`] bytes.
    KeyId,
    /// `typ` is no string, or another type of token.
    Type,
    /// A member that must not be there.
    Member(&'static str),
}

impl JoseHeader {
    /// Reads a decoded header.
    ///
    /// Refuses what is no JSON object without duplicate members, any `alg` that is not exactly a
    /// name we know, an empty or long `kid`, a `typ` other than `JWT`, `JOSE` or `at+jwt` (in any
    /// case, `application/` before it or not), and any `crit`, `b64`, `zip`, `enc` and `cty`.
    /// RFC 7515 §4.1.11 would have extensions understood or refused; we implement none. Other
    /// members are ignored (RFC 7515 §4).
    ///
    /// # Errors
    /// [`HeaderError`] says what was refused.
    pub fn parse(json: &[u8]) -> Result<Self, HeaderError> {
        let document = Document::parse(json, &limits::TOKEN_JSON).map_err(HeaderError::Json)?;
        let members = document.root().as_object().ok_or(HeaderError::NotObject)?;
        let (mut alg, mut kid, mut typ) = (None, None, None);
        let mut only_svid_members = true;
        for (name, value) in members {
            match name {
                "alg" => alg = Some(value),
                "kid" => kid = Some(value),
                "typ" => typ = Some(value),
                _ => only_svid_members = false,
            }
            if let Some(refused) = REFUSED.iter().find(|refused| **refused == name) {
                return Err(HeaderError::Member(refused));
            }
        }
        let kind = typ.map(token_type).transpose()?;
        Ok(Self {
            algorithm: algorithm(alg)?,
            key_id: kid.map(key_id).transpose()?,
            only_svid_members,
            svid_type: kind.is_none_or(|kind| matches!(kind, "JWT" | "JOSE")),
        })
    }

    /// The algorithm that the token claims to be signed with; the key decides.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Which key is said to verify the token.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Whether there is no member but `alg`, `kid` and `typ` (JWT-SVID §2).
    pub(super) fn has_only_svid_members(&self) -> bool {
        self.only_svid_members
    }

    /// Whether `typ` is absent, `JWT` or `JOSE`, in exactly that form (JWT-SVID §2.3).
    pub(super) fn has_svid_type(&self) -> bool {
        self.svid_type
    }
}

fn algorithm(value: Option<Value<'_>>) -> Result<Algorithm, HeaderError> {
    let value = value.ok_or(HeaderError::AlgorithmMissing)?;
    value.as_str().and_then(Algorithm::parse).ok_or(HeaderError::AlgorithmUnknown)
}

fn key_id(value: Value<'_>) -> Result<Arc<str>, HeaderError> {
    let text = value.as_str().ok_or(HeaderError::KeyId)?;
    if text.is_empty() || text.len() > limits::KID_BYTES {
        return Err(HeaderError::KeyId);
    }
    Ok(text.into())
}

fn token_type(value: Value<'_>) -> Result<&str, HeaderError> {
    const PREFIX: &str = "application/";
    let text = value.as_str().ok_or(HeaderError::Type)?;
    let bare = match text.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
        Some(_) | None => text,
    };
    let known = TYPES.iter().any(|known| known.eq_ignore_ascii_case(bare));
    if known { Ok(text) } else { Err(HeaderError::Type) }
}

impl HeaderError {
    /// The reason to refuse a request with such a token.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Json(_) | Self::NotObject => Reason::TokenMalformed,
            Self::AlgorithmMissing | Self::AlgorithmUnknown => Reason::AlgorithmRefused,
            Self::KeyId | Self::Type | Self::Member(_) => Reason::TokenHeaderRefused,
        }
    }
}

/// Names the algorithm only: a token's parts can't be formatted.
impl fmt::Debug for JoseHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoseHeader").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "JOSE header: {error}"),
            Self::NotObject => f.write_str("JOSE header is not an object"),
            Self::AlgorithmMissing => f.write_str("JOSE header has no alg"),
            Self::AlgorithmUnknown => f.write_str("alg is not an accepted algorithm"),
            Self::KeyId => {
                write!(f, "kid is not a string of 1 to {} bytes", limits::KID_BYTES)
            }
            Self::Type => f.write_str("typ is not an accepted type of token"),
            Self::Member(name) => write!(f, "JOSE header has {name}"),
        }
    }
}

impl core::error::Error for HeaderError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn parse(json: &str) -> Result<JoseHeader, HeaderError> {
        JoseHeader::parse(json.as_bytes())
    }

    #[test]
    fn a_header_gives_its_algorithm_and_key() {
        let header = parse(r#"{"alg":"ES256","kid":"k 1","typ":"JWT","x5t":"ignored"}"#).unwrap();
        assert_eq!(header.algorithm(), Algorithm::Es256);
        assert_eq!(header.key_id(), Some("k 1"));
        assert!(!header.has_only_svid_members());
        assert!(parse(r#"{"alg":"RS256"}"#).unwrap().key_id().is_none());
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for json in ["[]", "\"x\"", "null", "1"] {
            assert_eq!(parse(json).unwrap_err(), HeaderError::NotObject, "{json}");
        }
        for json in ["", "{", "{}{}", "{\"alg\":\"RS256\",}", "{'alg':'RS256'}", "\u{feff}{}"] {
            assert!(matches!(parse(json), Err(HeaderError::Json(_))), "{json}");
        }
    }

    #[test]
    fn a_duplicate_member_is_refused_also_when_escaped() {
        for json in [
            r#"{"alg":"none","alg":"RS256"}"#,
            r#"{"alg":"RS256","\u0061lg":"none"}"#,
            r#"{"alg":"RS256","kid":"a","kid":"a"}"#,
            r#"{"alg":"RS256","x":{"y":1,"y":1}}"#,
        ] {
            assert!(matches!(parse(json), Err(HeaderError::Json(_))), "{json}");
        }
    }

    #[test]
    fn only_the_exact_names_of_algorithms_are_accepted() {
        for name in [
            "none", "None", "NONE", "nOnE", "rs256", "RS256 ", "RS1", "ES256K", "ES521", "ES512",
            "",
        ] {
            let json = format!(r#"{{"alg":"{name}"}}"#);
            assert_eq!(parse(&json).unwrap_err(), HeaderError::AlgorithmUnknown, "{name}");
        }
        for value in ["1", "null", r#"["RS256"]"#, "{}", "true"] {
            let json = format!(r#"{{"alg":{value}}}"#);
            assert_eq!(parse(&json).unwrap_err(), HeaderError::AlgorithmUnknown, "{value}");
        }
        assert_eq!(parse(r#"{"ALG":"RS256"}"#).unwrap_err(), HeaderError::AlgorithmMissing);
        assert_eq!(parse("{}").unwrap_err().reason(), Reason::AlgorithmRefused);
    }

    #[test]
    fn crit_is_refused_in_every_form() {
        for value in [
            r#"["x"]"#,
            "[]",
            "\"x\"",
            r#"["x","x"]"#,
            r#"["alg"]"#,
            r#"["absent"]"#,
            "null",
            r#"["b64"]"#,
        ] {
            let json = format!(r#"{{"alg":"RS256","crit":{value}}}"#);
            assert_eq!(parse(&json).unwrap_err(), HeaderError::Member("crit"), "{value}");
        }
        assert_eq!(parse(r#"{"crit":[]}"#).unwrap_err().reason(), Reason::TokenHeaderRefused);
    }

    #[test]
    fn members_that_change_the_meaning_are_refused_and_others_ignored() {
        for (name, value) in [
            ("b64", "false"),
            ("b64", "true"),
            ("zip", "\"DEF\""),
            ("enc", "\"A128GCM\""),
            ("cty", "\"JWT\""),
        ] {
            let json = format!(r#"{{"alg":"RS256","{name}":{value}}}"#);
            assert_eq!(parse(&json).unwrap_err(), HeaderError::Member(name), "{name}");
        }
        for (name, value) in [
            ("epk", "{}"),
            ("p2c", "1000000000"),
            ("jwk", "{}"),
            ("jku", "\"https://x\""),
            ("x5c", "[]"),
        ] {
            let json = format!(r#"{{"alg":"RS256","{name}":{value}}}"#);
            assert!(parse(&json).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_kid_is_a_string_of_1_to_256_bytes() {
        let with = |value: &str| parse(&format!(r#"{{"alg":"RS256","kid":{value}}}"#));
        assert!(with(&format!("\"{}\"", "k".repeat(256))).is_ok());
        assert_eq!(with(r#""../\u0000""#).unwrap().key_id(), Some("../\0"));
        for value in ["\"\"", "1", "null", "[]", &format!("\"{}\"", "k".repeat(257))] {
            assert_eq!(with(value).unwrap_err(), HeaderError::KeyId, "{value}");
        }
    }

    #[test]
    fn three_types_are_accepted_in_any_case() {
        let with = |value: &str| parse(&format!(r#"{{"alg":"RS256","typ":{value}}}"#));
        for value in
            ["JWT", "jwt", "JOSE", "at+jwt", "AT+JWT", "application/at+jwt", "Application/JWT"]
        {
            assert!(with(&format!("\"{value}\"")).is_ok(), "{value}");
        }
        for value in [
            "\"dpop+jwt\"",
            "\"secevent+jwt\"",
            "\"invalid\"",
            "\"\"",
            "\"application/\"",
            "\"application/application/jwt\"",
            "1",
            "null",
        ] {
            assert_eq!(with(value).unwrap_err(), HeaderError::Type, "{value}");
        }
    }

    #[test]
    fn a_svid_has_three_members_and_two_types() {
        assert!(parse(r#"{"alg":"ES256","kid":"a","typ":"JOSE"}"#).unwrap().has_svid_type());
        assert!(parse(r#"{"alg":"ES256"}"#).unwrap().has_only_svid_members());
        assert!(!parse(r#"{"alg":"ES256","typ":"at+jwt"}"#).unwrap().has_svid_type());
        assert!(!parse(r#"{"alg":"ES256","typ":"jwt"}"#).unwrap().has_svid_type());
        assert!(!parse(r#"{"alg":"ES256","jku":"x"}"#).unwrap().has_only_svid_members());
    }
}
