//! Where an issuer says that its keys are: OpenID Connect Discovery 1.0.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::fmt;

use crate::bytes::holds;
use crate::json::{Document, JsonError, Value};
use crate::limits;

/// Why an issuer's metadata does not say where its keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetadataError {
    /// Not JSON as we accept it, or too long.
    Json(JsonError),
    /// Not an object with the texts `issuer` and `jwks_uri`.
    NotMetadata,
    /// The metadata is another issuer's.
    OtherIssuer,
    /// `jwks_uri` is not an https address of a public host, nor one of the issuer's own.
    KeySetUri,
}

impl MetadataError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Json(_) => "metadata_json",
            Self::NotMetadata => "metadata_malformed",
            Self::OtherIssuer => "metadata_issuer",
            Self::KeySetUri => "metadata_jwks_uri",
        }
    }
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json(error) => return write!(f, "issuer's metadata: {error}"),
            Self::NotMetadata => "issuer's metadata: not an object with issuer and jwks_uri",
            Self::OtherIssuer => "issuer's metadata: it is another issuer's",
            Self::KeySetUri => {
                "issuer's metadata: jwks_uri is not an https address of a public host"
            }
        })
    }
}

impl core::error::Error for MetadataError {}

/// Where the metadata of an issuer is; none unless the issuer is an https address without a query.
///
/// See [OpenID Connect Discovery 1.0, section 4.1](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationRequest).
pub(crate) fn metadata_uri(issuer: &str) -> Option<String> {
    let is_plain = !holds(issuer, b'?') && authority(issuer).is_some();
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    is_plain.then(|| format!("{base}/.well-known/openid-configuration"))
}

/// Reads where the keys are from the metadata of this issuer.
///
/// The issuer's name must be the same byte by byte (section 4.3). An address is followed to another
/// host only by a public name: an issuer must not be able to send its readers to hosts that only
/// they can reach. What a name resolves to is not looked at.
pub(super) fn key_set_uri(body: &[u8], issuer: &str) -> Result<Box<str>, MetadataError> {
    let document = Document::parse(body, &limits::JWKS_JSON).map_err(MetadataError::Json)?;
    let members = document.root().as_object().ok_or(MetadataError::NotMetadata)?;
    let text = |name| members.get(name).and_then(Value::as_str).ok_or(MetadataError::NotMetadata);
    if text("issuer")? != issuer {
        return Err(MetadataError::OtherIssuer);
    }
    let uri = text("jwks_uri")?;
    let host = authority(uri).ok_or(MetadataError::KeySetUri)?;
    let is_own = authority(issuer).is_some_and(|own| own.eq_ignore_ascii_case(host));
    if is_own || is_public(host) { Ok(uri.into()) } else { Err(MetadataError::KeySetUri) }
}

/// Host and port of an https address that is printable ASCII, without a user and a fragment.
fn authority(uri: &str) -> Option<&str> {
    let rest = uri.strip_prefix("https://")?;
    let authority = rest.split(['/', '?']).next().filter(|authority| !authority.is_empty())?;
    let is_clean = uri.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (is_clean && !holds(authority, b'@') && !holds(uri, b'#')).then_some(authority)
}

/// The last labels of names that mean something in one network only: RFC 6761 §6.3, RFC 6762 §3,
/// RFC 8375 (`home.arpa`; nothing else below `arpa` is a server either), and what ICANN has reserved
/// for private use.
const PRIVATE: [&str; 4] = ["localhost", "local", "arpa", "internal"];

/// A name with a dot whose last label is neither one of [`PRIVATE`] nor a number: no address in any
/// of its spellings (the [URL standard](https://url.spec.whatwg.org/#ends-in-a-number-checker) tells
/// them apart by the last label).
fn is_public(authority: &str) -> bool {
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let Some((_, last)) = host.rsplit_once('.') else { return false };
    let is_number = last.starts_with(|first: char| first.is_ascii_digit());
    is_port
        && host.bytes().all(is_name)
        && !last.is_empty()
        && !is_number
        && !PRIVATE.iter().any(|private| last.eq_ignore_ascii_case(private))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://issuer.example/tenant";

    fn found(issuer: &str, uri: &str) -> Result<Box<str>, &'static str> {
        let body = format!(r#"{{"issuer":"{issuer}","jwks_uri":"{uri}","x":[1]}}"#);
        key_set_uri(body.as_bytes(), issuer).map_err(|error| error.code())
    }

    #[test]
    fn the_metadata_stands_below_the_issuer() {
        let uri = "https://issuer.example/tenant/.well-known/openid-configuration";
        assert_eq!(metadata_uri(ISSUER).as_deref(), Some(uri));
        assert_eq!(metadata_uri("https://issuer.example/tenant/").as_deref(), Some(uri));
        for issuer in [
            "",
            "issuer.example",
            "http://a.example",
            "https://",
            "https://a/?b",
            "https://a/#b",
            "https://u@a/",
            "https://a/ b",
        ] {
            assert_eq!(metadata_uri(issuer), None, "{issuer}");
        }
    }

    #[test]
    fn the_keys_may_be_at_another_public_host() {
        for uri in [
            "https://issuer.example/keys",
            "https://www.keys.example/v1/certs?x=1",
            "https://keys.example:8443/",
            "https://keys.example.",
        ] {
            assert_eq!(found(ISSUER, uri).as_deref(), Ok(uri));
        }
    }

    #[test]
    fn a_host_that_is_no_public_name_is_refused_unless_it_is_the_issuers_own() {
        for host in [
            "localhost",
            "a.localhost",
            "metadata",
            "keys.default.svc.cluster.local",
            "printer.Local.",
            "router.home.arpa",
            "metadata.google.internal:443",
            "127.0.0.1",
            "169.254.169.254:80",
            "10.1",
            "0x7f.1",
            "a.0x7f000001",
            "2130706433",
            "[::1]",
            "keys.example:",
            "keys.example:x",
            "a..",
        ] {
            let uri = format!("https://{host}/keys");
            assert_eq!(found(ISSUER, &uri), Err("metadata_jwks_uri"), "{host}");
        }
        assert!(found("https://10.0.0.1:8443", "https://10.0.0.1:8443/keys").is_ok());
        assert!(found("https://10.0.0.1:8443", "https://10.0.0.1/keys").is_err());
    }

    #[test]
    fn an_address_that_is_not_plain_https_is_refused() {
        for uri in [
            "",
            "keys",
            "http://issuer.example/keys",
            "https:///keys",
            "file:///etc/passwd",
            "https://issuer.example@keys.example/",
            "https://issuer.example/#k",
            "https://issuer.example\\\\@keys.example/",
            "https://issuer.example/a b",
        ] {
            assert_eq!(found(ISSUER, uri), Err("metadata_jwks_uri"), "{uri}");
        }
    }

    #[test]
    fn the_metadata_must_be_the_issuers_own() {
        for (body, code) in [
            (
                r#"{"issuer":"https://issuer.example/tenant/","jwks_uri":"https://issuer.example/k"}"#,
                "metadata_issuer",
            ),
            (r#"{"jwks_uri":"https://issuer.example/k"}"#, "metadata_malformed"),
            (r#"{"issuer":"https://issuer.example/tenant"}"#, "metadata_malformed"),
            (
                r#"{"issuer":["https://issuer.example/tenant"],"jwks_uri":"x"}"#,
                "metadata_malformed",
            ),
            ("[]", "metadata_malformed"),
        ] {
            let error = key_set_uri(body.as_bytes(), ISSUER).unwrap_err();
            assert_eq!(error.code(), code, "{body}");
        }
        assert!(matches!(key_set_uri(b"<html>", ISSUER), Err(MetadataError::Json(_))));
    }
}
