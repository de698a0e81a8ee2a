//! Key files.

use std::path::Path;

use jwt_simple::reexports::ct_codecs::{Base64UrlSafeNoPadding, Decoder as _, Encoder as _};
use lychgate_core::json::{Bounds, Document, Value as Json};
use serde_json::{Map, Value, json};

use super::{Exported, SigningAlgorithm, SigningKey};
use crate::error::CliError;
use crate::input;

/// The member that marks a key, and its value. RFC 7517 §4 lets readers ignore it.
const MARK: (&str, &str) = ("lychgate", "development only, never deploy");

const FILE_BYTES: usize = 16 * 1024;
const BOUNDS: Bounds = Bounds { bytes: FILE_BYTES, depth: 4, members: 32 };

/// A key from a file.
pub(crate) struct KeyFile {
    pub(crate) algorithm: SigningAlgorithm,
    pub(crate) key: SigningKey,
}

/// Reads a private JWK that names its algorithm.
///
/// # Errors
/// Refuses anything else, and a secret that is shorter than its hash.
pub(crate) fn read(path: &Path) -> Result<KeyFile, CliError> {
    let text = input::read_text(path, FILE_BYTES)?;
    parse(&text).map_err(|message| CliError::Key { path: path.display().to_string(), message })
}

fn parse(text: &str) -> Result<KeyFile, String> {
    let document = Document::parse(text.as_bytes(), &BOUNDS).map_err(|error| error.to_string())?;
    let object = document.root().as_object().ok_or("not a JWK")?;
    let string = |name| object.get(name).and_then(Json::as_str);
    let algorithm: SigningAlgorithm = string("alg")
        .ok_or("a JWK with `alg` is needed")?
        .parse()
        .map_err(|_| "`alg` is not one of the algorithms of `lychgate token keygen`")?;
    let key = match algorithm.secret_length() {
        Some(least) => secret_key(algorithm, string("kid"), string("k"), least)?,
        None => SigningKey::from_jwk(algorithm, &document.canonical())
            .map_err(|error| format!("not a private key for {algorithm}: {error}"))?,
    };
    Ok(KeyFile { algorithm, key })
}

fn secret_key(
    algorithm: SigningAlgorithm,
    kid: Option<&str>,
    secret: Option<&str>,
    least: usize,
) -> Result<SigningKey, String> {
    let secret = secret.ok_or("a secret needs `k`")?;
    let secret = Base64UrlSafeNoPadding::decode_to_vec(secret, None)
        .map_err(|_| "`k` is not base64url".to_owned())?;
    if secret.len() < least {
        return Err(format!("a secret for {algorithm} has at least {least} bytes"));
    }
    SigningKey::from_secret(algorithm, kid, &secret).ok_or_else(|| "not a secret".to_owned())
}

/// The text of a key file.
pub(crate) fn render(algorithm: SigningAlgorithm, kid: &str, key: &SigningKey) -> String {
    let mut jwk = match key.export() {
        Exported::Jwk(text) => serde_json::from_str(&text).unwrap_or_default(),
        Exported::Secret(secret) => {
            let encoded = Base64UrlSafeNoPadding::encode_to_string(secret).unwrap_or_default();
            Map::from_iter([("kty".to_owned(), json!("oct")), ("k".to_owned(), json!(encoded))])
        }
    };
    jwk.insert("alg".to_owned(), json!(algorithm.to_string()));
    jwk.insert("kid".to_owned(), json!(kid));
    jwk.insert(MARK.0.to_owned(), json!(MARK.1));
    format!("{:#}\n", Value::Object(jwk))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(algorithm: SigningAlgorithm) -> KeyFile {
        let key = SigningKey::generate(algorithm, "k1", 2048).unwrap();
        parse(&render(algorithm, "k1", &key)).unwrap_or_else(|message| panic!("{message}"))
    }

    #[test]
    fn keys_come_back_from_their_files_and_sign() {
        use SigningAlgorithm as A;
        for algorithm in [A::RS256, A::ES256, A::ES384, A::EdDSA, A::HS256, A::HS512] {
            let file = round_trip(algorithm);
            let token = file.key.sign(Map::new(), None).unwrap();
            let header = token.split('.').next().unwrap();
            let header = Base64UrlSafeNoPadding::decode_to_vec(header, None).unwrap();
            let header: Value = serde_json::from_slice(&header).unwrap();
            assert_eq!(header, json!({ "alg": algorithm.to_string(), "kid": "k1", "typ": "JWT" }));
        }
    }

    #[test]
    fn what_is_no_private_key_is_refused() {
        let pair = SigningKey::generate(SigningAlgorithm::ES256, "k1", 2048).unwrap();
        let public = pair.public_jwk().unwrap();
        for (text, expected) in [
            ("", "JSON"),
            ("[]", "not a JWK"),
            ("{}", "`alg`"),
            (r#"{"alg":"none"}"#, "algorithms"),
            (r#"{"alg":"ES256","alg":"ES256"}"#, "duplicate"),
            (r#"{"kty":"oct","alg":"HS256"}"#, "`k`"),
            (r#"{"kty":"oct","alg":"HS256","k":"AA=="}"#, "base64url"),
            (r#"{"kty":"oct","alg":"HS256","k":"AAAA"}"#, "at least 32"),
            (r#"{"kty":"oct","alg":"RS256","k":"AAAA"}"#, "private key"),
            (public.as_str(), "private key"),
        ] {
            match parse(text) {
                Ok(_) => panic!("accepted {text}"),
                Err(message) => assert!(message.contains(expected), "{text}: {message}"),
            }
        }
    }
}
