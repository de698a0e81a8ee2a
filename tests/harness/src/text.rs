//! Bytes as a vector writes them: text, raw bytes, tokens, certificates, and joins of these.

use base64ct::{Base64, Encoding as _};
use serde::Deserialize;

use crate::certificate::{Authority, CertificateSpec};
use crate::keys::KeyRing;
use crate::token::TokenSpec;

/// What vectors are made concrete with.
#[derive(Debug, Clone, Copy)]
pub struct Mint<'a> {
    /// The named keys.
    pub keys: &'a KeyRing,
    /// The authority of all certificates.
    pub authority: &'a Authority,
    /// Seconds since 1970 that offsets count from.
    pub now: i64,
}

/// Bytes as a vector writes them.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum TextSpec {
    /// The UTF-8 bytes of a string.
    Plain(String),
    /// Something else.
    Made(Box<MadeText>),
}

/// Bytes that are more than a JSON string.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MadeText {
    /// Raw bytes, base64.
    Bytes(String),
    /// A token.
    Token(Box<TokenSpec>),
    /// Parts one after the other.
    Concat(Vec<TextSpec>),
    /// A part, many times over.
    Repeat(TextSpec, usize),
    /// A certificate as a `Client-Cert` item (RFC 9440 §2.1).
    ClientCert(CertificateSpec),
    /// A certificate as XFCC's `Cert` has it: percent-encoded PEM.
    EncodedPem(CertificateSpec),
}

impl TextSpec {
    /// The bytes themselves.
    #[must_use]
    pub fn bytes(&self, mint: Mint<'_>) -> Vec<u8> {
        match self {
            Self::Plain(text) => text.clone().into_bytes(),
            Self::Made(made) => made.bytes(mint),
        }
    }
}

impl MadeText {
    fn bytes(&self, mint: Mint<'_>) -> Vec<u8> {
        match self {
            Self::Bytes(text) => Base64::decode_vec(text).expect("base64 in a vector"),
            Self::Token(token) => token.mint(mint),
            Self::Concat(parts) => parts.iter().flat_map(|part| part.bytes(mint)).collect(),
            Self::Repeat(part, times) => part.bytes(mint).repeat(*times),
            Self::ClientCert(spec) => {
                let der = mint.authority.issue(spec, mint.keys).der;
                format!(":{}:", Base64::encode_string(&der)).into_bytes()
            }
            Self::EncodedPem(spec) => {
                percent_encoded(&mint.authority.issue(spec, mint.keys).certificate_pem)
            }
        }
    }
}

fn percent_encoded(text: &str) -> Vec<u8> {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded.into_bytes()
}
