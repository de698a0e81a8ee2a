//! Tokens signed by named test keys.

use std::time::{SystemTime, UNIX_EPOCH};

use ring::rand::SystemRandom;
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, RsaEncoding, RsaKeyPair};
use serde_json::{Value, json};

/// A private key that signs tokens.
#[derive(Debug)]
pub struct SigningKey {
    jwk: Value,
    key: Key,
}

enum Key {
    Rsa(Box<RsaKeyPair>),
    Ec(EcdsaKeyPair, &'static str),
    Ed(Ed25519KeyPair),
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl SigningKey {
    /// Loads a private JWK from `tests/vectors/keys`.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let path = crate::wasm::project().join(format!("tests/vectors/keys/{name}.json"));
        let text = std::fs::read_to_string(&path).expect("a key of that name");
        Self::from_jwk(serde_json::from_str(&text).expect("JSON"))
    }

    /// Takes a private JWK.
    #[must_use]
    pub fn from_jwk(jwk: Value) -> Self {
        let part = |name: &str| decode(jwk[name].as_str().unwrap_or_default());
        let key = match (jwk["kty"].as_str(), jwk["crv"].as_str()) {
            (Some("RSA"), _) => Key::Rsa(Box::new(rsa(&part))),
            (Some("EC"), Some("P-256")) => {
                Key::Ec(ec(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, &part), "ES256")
            }
            (Some("EC"), Some("P-384")) => {
                Key::Ec(ec(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, &part), "ES384")
            }
            (Some("OKP"), _) => {
                let key = Ed25519KeyPair::from_seed_and_public_key(&part("d"), &part("x"));
                Key::Ed(key.expect("a key pair"))
            }
            _ => panic!("no key to sign with"),
        };
        Self { jwk, key }
    }

    /// The same key under another `kid`.
    #[must_use]
    pub fn renamed(&self, kid: &str) -> Self {
        let mut jwk = self.jwk.clone();
        jwk["kid"] = json!(kid);
        Self::from_jwk(jwk)
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> Value {
        let mut jwk = self.jwk.clone();
        let members = jwk.as_object_mut().expect("a JWK is an object");
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            members.remove(private);
        }
        jwk
    }

    /// A JWKS with just this key.
    #[must_use]
    pub fn jwks(&self) -> String {
        json!({ "keys": [self.public()] }).to_string()
    }

    /// Signs these claims with the key's usual algorithm.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with(self.algorithm(), claims)
    }

    /// The key's usual algorithm.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        match &self.key {
            Key::Rsa(_) => "RS256",
            Key::Ec(_, alg) => alg,
            Key::Ed(_) => "EdDSA",
        }
    }

    /// Signs these claims with this algorithm, which must fit the key.
    #[must_use]
    pub fn sign_with(&self, alg: &str, claims: &Value) -> String {
        let header = json!({ "alg": alg, "kid": self.jwk["kid"], "typ": "JWT" });
        let input = format!(
            "{}.{}",
            encode(header.to_string().as_bytes()),
            encode(claims.to_string().as_bytes())
        );
        let signature = self.signature(alg, input.as_bytes());
        format!("{input}.{}", encode(&signature))
    }

    /// The signature over these bytes with this algorithm, which must fit the key.
    #[must_use]
    pub fn signature(&self, alg: &str, input: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Rsa(key) => {
                let padding: &dyn RsaEncoding = match alg {
                    "RS256" => &signature::RSA_PKCS1_SHA256,
                    "RS384" => &signature::RSA_PKCS1_SHA384,
                    "RS512" => &signature::RSA_PKCS1_SHA512,
                    "PS256" => &signature::RSA_PSS_SHA256,
                    "PS384" => &signature::RSA_PSS_SHA384,
                    _ => &signature::RSA_PSS_SHA512,
                };
                let mut out = vec![0; key.public().modulus_len()];
                key.sign(padding, &random, input, &mut out).expect("RSA signs");
                out
            }
            Key::Ec(key, _) => key.sign(&random, input).expect("ECDSA signs").as_ref().to_vec(),
            Key::Ed(key) => key.sign(input).as_ref().to_vec(),
        }
    }
}

fn rsa(part: &dyn Fn(&str) -> Vec<u8>) -> RsaKeyPair {
    RsaKeyPair::from_components(&KeyPairComponents {
        public_key: PublicKeyComponents { n: part("n"), e: part("e") },
        d: part("d"),
        p: part("p"),
        q: part("q"),
        dP: part("dp"),
        dQ: part("dq"),
        qInv: part("qi"),
    })
    .expect("an RSA key pair")
}

fn ec(
    algorithm: &'static signature::EcdsaSigningAlgorithm,
    part: &dyn Fn(&str) -> Vec<u8>,
) -> EcdsaKeyPair {
    let point = [vec![4], part("x"), part("y")].concat();
    let random = SystemRandom::new();
    EcdsaKeyPair::from_private_key_and_public_key(algorithm, &part("d"), &point, &random)
        .expect("an EC key pair")
}

/// Seconds since the epoch.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs()
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// base64url without padding.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0_u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..=chunk.len() {
            out.push(char::from(ALPHABET[(word >> (18 - 6 * i)) as usize & 63]));
        }
    }
    out
}

/// The bytes of a base64url text without padding.
#[must_use]
pub fn decode(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut word, mut bits) = (0_u32, 0);
    for byte in text.bytes() {
        let value = ALPHABET.iter().position(|a| *a == byte).expect("base64url");
        word = word << 6 | u32::try_from(value).expect("six bits");
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((word >> bits) as u8);
            word &= (1 << bits) - 1;
        }
    }
    out
}
