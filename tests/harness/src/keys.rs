//! The named test keys of `tests/vectors/keys`, and what they sign.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rsa::pkcs1::EncodeRsaPublicKey as _;
use rsa::pkcs8::{EncodePublicKey as _, LineEnding};
use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::{BoxedUint, Pkcs1v15Sign, Pss, RsaPrivateKey, RsaPublicKey};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Sha256, Sha384, Sha512};

/// An algorithm that a test token can be signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names of RFC 7518 §3.1 and RFC 8037 §3.1")]
pub enum SigningAlgorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    #[serde(rename = "EdDSA")]
    EdDsa,
    Hs256,
    Hs384,
    Hs512,
}

impl SigningAlgorithm {
    /// The `alg` value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }
}

/// A private test key: the JWK as its file has it.
#[derive(Debug, Clone)]
pub struct Key {
    jwk: Map<String, Value>,
}

/// All named test keys.
#[derive(Debug, Clone)]
pub struct KeyRing {
    keys: BTreeMap<String, Key>,
}

impl KeyRing {
    /// Reads every key of the folder; a key's name is its file's.
    #[must_use]
    pub fn load(folder: &Path) -> Self {
        let mut keys = BTreeMap::new();
        for entry in fs::read_dir(folder).expect("folder of test keys") {
            let path = entry.expect("entry of the folder of test keys").path();
            let text = fs::read_to_string(&path).expect("test key");
            let jwk = serde_json::from_str(&text).expect("test key is JSON");
            let name = path.file_stem().and_then(|stem| stem.to_str()).expect("name of a test key");
            keys.insert(name.to_owned(), Key { jwk });
        }
        Self { keys }
    }

    /// The key of that name.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn key(&self, name: &str) -> &Key {
        self.keys.get(name).unwrap_or_else(|| panic!("no test key named {name}"))
    }

    /// The JSON text of a public key set; each entry is a name, or `{key, set, remove}`.
    #[must_use]
    pub fn public_set(&self, entries: &[Value]) -> String {
        let keys: Vec<Value> = entries.iter().map(|entry| self.public_entry(entry)).collect();
        serde_json::json!({ "keys": keys }).to_string()
    }

    fn public_entry(&self, entry: &Value) -> Value {
        let name = entry.as_str().or_else(|| entry["key"].as_str()).expect("name of a key");
        let mut jwk = self.key(name).public_jwk();
        for (member, value) in entry["set"].as_object().into_iter().flatten() {
            jwk.insert(member.clone(), value.clone());
        }
        for member in entry["remove"].as_array().into_iter().flatten() {
            jwk.shift_remove(member.as_str().expect("name of a JWK member"));
        }
        Value::Object(jwk)
    }
}

impl Key {
    /// The public members, with `kid` and without `alg`; a symmetric key has only `kty` and `kid`.
    #[must_use]
    pub fn public_jwk(&self) -> Map<String, Value> {
        let public = ["kty", "kid", "crv", "n", "e", "x", "y"];
        self.jwk
            .iter()
            .filter(|(name, _)| public.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// The algorithm that a token gets when its vector names none.
    #[must_use]
    pub fn usual_algorithm(&self) -> SigningAlgorithm {
        match (self.text("kty"), self.jwk.get("crv").and_then(Value::as_str)) {
            ("RSA", _) => SigningAlgorithm::Rs256,
            ("EC", Some("P-256")) => SigningAlgorithm::Es256,
            ("EC", _) => SigningAlgorithm::Es384,
            ("OKP", _) => SigningAlgorithm::EdDsa,
            ("oct", _) => SigningAlgorithm::Hs256,
            (other, _) => panic!("test key of unknown type {other}"),
        }
    }

    /// The whole key, private members and all, as JSON text.
    #[must_use]
    pub fn private_jwk(&self) -> String {
        Value::Object(self.jwk.clone()).to_string()
    }

    /// The secret of a symmetric key, base64url.
    #[must_use]
    pub fn secret_text(&self) -> &str {
        self.text("k")
    }

    /// A genuine signature over `message`.
    #[must_use]
    pub fn sign(&self, algorithm: SigningAlgorithm, message: &[u8]) -> Vec<u8> {
        match algorithm {
            SigningAlgorithm::Rs256 => self.pkcs1::<Sha256>(message),
            SigningAlgorithm::Rs384 => self.pkcs1::<Sha384>(message),
            SigningAlgorithm::Rs512 => self.pkcs1::<Sha512>(message),
            SigningAlgorithm::Ps256 => self.pss(message, Pss::<Sha256>::new()),
            SigningAlgorithm::Ps384 => self.pss(message, Pss::<Sha384>::new()),
            SigningAlgorithm::Ps512 => self.pss(message, Pss::<Sha512>::new()),
            SigningAlgorithm::Es256 => self.p256(message),
            SigningAlgorithm::Es384 => self.p384(message),
            SigningAlgorithm::EdDsa => self.ed25519(message),
            SigningAlgorithm::Hs256 | SigningAlgorithm::Hs384 | SigningAlgorithm::Hs512 => {
                authenticate(algorithm, &self.bytes("k"), message)
            }
        }
    }

    /// An RSASSA-PSS signature with SHA-256 and a salt of that many bytes (RFC 7518 wants 32).
    #[must_use]
    pub fn sign_pss_with_salt(&self, message: &[u8], salt: usize) -> Vec<u8> {
        self.pss(message, Pss::<Sha256>::new_with_salt(salt))
    }

    /// What an attacker who knows only the public key may use as an HMAC secret.
    #[must_use]
    pub(crate) fn public_bytes(&self, form: PublicForm) -> Vec<u8> {
        let key = || self.rsa_public();
        match form {
            PublicForm::SpkiPem => key().to_public_key_pem(LineEnding::LF).expect("PEM").into(),
            PublicForm::SpkiPemWithoutNewline => {
                key().to_public_key_pem(LineEnding::LF).expect("PEM").trim_end().into()
            }
            PublicForm::SpkiDer => key().to_public_key_der().expect("DER").into_vec(),
            PublicForm::Pkcs1Der => key().to_pkcs1_der().expect("DER").as_bytes().to_vec(),
            PublicForm::Pkcs1Pem => key().to_pkcs1_pem(LineEnding::LF).expect("PEM").into(),
            PublicForm::Jwk => Value::Object(self.public_jwk()).to_string().into(),
            PublicForm::Modulus => self.bytes("n"),
            PublicForm::Empty => Vec::new(),
        }
    }

    /// The bytes of a base64url member.
    ///
    /// # Panics
    /// If the key has no such member.
    #[must_use]
    pub fn bytes(&self, member: &str) -> Vec<u8> {
        Base64UrlUnpadded::decode_vec(self.text(member)).expect("base64url in a test key")
    }

    fn text(&self, member: &str) -> &str {
        self.jwk.get(member).and_then(Value::as_str).unwrap_or_else(|| panic!("no {member} in key"))
    }

    fn number(&self, member: &str) -> BoxedUint {
        BoxedUint::from_be_slice_vartime(&self.bytes(member))
    }

    fn rsa(&self) -> RsaPrivateKey {
        let primes = vec![self.number("p"), self.number("q")];
        RsaPrivateKey::from_components(self.number("n"), self.number("e"), self.number("d"), primes)
            .expect("RSA test key")
    }

    fn rsa_public(&self) -> RsaPublicKey {
        self.rsa().to_public_key()
    }

    fn pkcs1<D: rsa::pkcs8::AssociatedOid + sha2::Digest>(&self, message: &[u8]) -> Vec<u8> {
        self.rsa().sign(Pkcs1v15Sign::new::<D>(), &D::digest(message)).expect("PKCS #1 signature")
    }

    fn pss<D: sha2::Digest + sha2::digest::FixedOutputReset>(
        &self,
        message: &[u8],
        padding: Pss<D>,
    ) -> Vec<u8> {
        self.rsa()
            .sign_with_rng(&mut Counter(1), padding, &D::digest(message))
            .expect("PSS signature")
    }

    fn p256(&self, message: &[u8]) -> Vec<u8> {
        use p256::ecdsa::signature::Signer as _;
        let signature: p256::ecdsa::Signature = self.p256_key().sign(message);
        signature.to_bytes().to_vec()
    }

    pub(crate) fn p256_key(&self) -> p256::ecdsa::SigningKey {
        p256::ecdsa::SigningKey::from_slice(&self.bytes("d")).expect("P-256 test key")
    }

    fn p384(&self, message: &[u8]) -> Vec<u8> {
        use p384::ecdsa::signature::Signer as _;
        let key = p384::ecdsa::SigningKey::from_slice(&self.bytes("d")).expect("P-384 test key");
        let signature: p384::ecdsa::Signature = key.sign(message);
        signature.to_bytes().to_vec()
    }

    fn ed25519(&self, message: &[u8]) -> Vec<u8> {
        use ed25519_dalek::Signer as _;
        let seed: [u8; 32] = self.bytes("d").try_into().expect("seed of 32 bytes");
        ed25519_dalek::SigningKey::from_bytes(&seed).sign(message).to_bytes().to_vec()
    }
}

/// A form of an RSA public key that confused verifiers have used as an HMAC secret.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PublicForm {
    SpkiPem,
    SpkiPemWithoutNewline,
    SpkiDer,
    Pkcs1Der,
    Pkcs1Pem,
    Jwk,
    Modulus,
    Empty,
}

/// An HMAC with any secret, also an empty one.
#[must_use]
pub(crate) fn authenticate(algorithm: SigningAlgorithm, secret: &[u8], message: &[u8]) -> Vec<u8> {
    match algorithm {
        SigningAlgorithm::Hs384 => {
            let mut mac = Hmac::<Sha384>::new_from_slice(secret).expect("any length");
            mac.update(message);
            mac.finalize().into_bytes().to_vec()
        }
        SigningAlgorithm::Hs512 => {
            let mut mac = Hmac::<Sha512>::new_from_slice(secret).expect("any length");
            mac.update(message);
            mac.finalize().into_bytes().to_vec()
        }
        SigningAlgorithm::Hs256
        | SigningAlgorithm::Rs256
        | SigningAlgorithm::Rs384
        | SigningAlgorithm::Rs512
        | SigningAlgorithm::Ps256
        | SigningAlgorithm::Ps384
        | SigningAlgorithm::Ps512
        | SigningAlgorithm::Es256
        | SigningAlgorithm::Es384
        | SigningAlgorithm::EdDsa => {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length");
            mac.update(message);
            mac.finalize().into_bytes().to_vec()
        }
    }
}

/// Numbers for PSS salts and blinding. Not random at all: the keys are public, and runs repeat.
struct Counter(u64);

impl TryRng for Counter {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.try_next_u64().map(|number| number as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        Ok(self.0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for byte in bytes {
            *byte = (self.try_next_u64()? >> 32) as u8;
        }
        Ok(())
    }
}

impl TryCryptoRng for Counter {}
