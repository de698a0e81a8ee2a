//! Tokens that are really signed, by the keys that everybody has.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::rc::Rc;

use lychgate_tests_envoy::SigningKey;
use lychgate_tests_envoy::token::{decode, encode};
use lychgate_tests_envoy::wasm::project;
use ring::hmac;
use serde_json::{Map, Value, json};

use crate::case::{Form, Token};

/// The name of the key that costs least; most runs of random policies use it.
pub const CHEAP: &str = "hmac-1";

/// The names of all keys that sign here.
pub const ALL: [&str; 4] = [CHEAP, "ed-1", "ec-1", "rsa-1"];

/// A key that signs.
#[derive(Debug)]
pub struct Signer {
    name: String,
    key: Key,
}

#[derive(Debug)]
enum Key {
    Secret(String, hmac::Key),
    Pair(Box<SigningKey>),
}

/// The key of that name in `tests/vectors/keys`, read once in each thread.
#[must_use]
pub fn signer(name: &str) -> Rc<Signer> {
    thread_local! {
        static SIGNERS: RefCell<HashMap<String, Rc<Signer>>> = RefCell::default();
    }
    SIGNERS.with_borrow_mut(|signers| {
        let signer = signers.entry(name.to_owned()).or_insert_with(|| Rc::new(Signer::read(name)));
        Rc::clone(signer)
    })
}

impl Signer {
    fn read(name: &str) -> Self {
        let path = project().join(format!("tests/vectors/keys/{name}.json"));
        let text = fs::read_to_string(path).expect("a key of that name");
        let jwk: Value = serde_json::from_str(&text).expect("JSON");
        let key = match jwk["k"].as_str() {
            Some(k) => Key::Secret(k.into(), hmac::Key::new(hmac::HMAC_SHA256, &decode(k))),
            None => Key::Pair(Box::new(SigningKey::from_jwk(jwk))),
        };
        Self { name: name.into(), key }
    }

    /// The secret of a symmetric key, base64url.
    #[must_use]
    pub fn secret(&self) -> Option<&str> {
        match &self.key {
            Key::Secret(text, _) => Some(text),
            Key::Pair(_) => None,
        }
    }

    /// The key set that Lychgate's rules name; a secret stands in the settings instead.
    #[must_use]
    pub fn published(&self) -> Option<String> {
        match &self.key {
            Key::Secret(..) => None,
            Key::Pair(key) => Some(key.jwks()),
        }
    }

    /// The key set that Envoy's provider is given.
    #[must_use]
    pub fn key_set(&self) -> String {
        match &self.key {
            Key::Secret(k, _) => {
                json!({ "keys": [{ "kty": "oct", "alg": "HS256", "kid": self.name, "k": k }] })
                    .to_string()
            }
            Key::Pair(key) => key.jwks(),
        }
    }

    /// The compact form of a token.
    #[must_use]
    pub fn token(&self, token: &Token) -> String {
        let payload = encode(json!(token.claims).to_string().as_bytes());
        let header = encode(json!(self.header(token.form)).to_string().as_bytes());
        let input = format!("{header}.{payload}");
        let mut signature = self.sign(&input);
        match token.form {
            Form::Genuine | Form::NoKid | Form::UnknownKid => {}
            Form::Forged => signature[0] ^= 1,
            Form::Altered => {
                let mut claims = token.claims.clone();
                claims.insert("altered".into(), json!(true));
                let payload = encode(json!(claims).to_string().as_bytes());
                return format!("{header}.{payload}.{}", encode(&signature));
            }
            Form::Unsigned => signature.clear(),
        }
        format!("{input}.{}", encode(&signature))
    }

    fn header(&self, form: Form) -> Map<String, Value> {
        let algorithm = match (&self.key, form) {
            (_, Form::Unsigned) => "none",
            (Key::Secret(..), _) => "HS256",
            (Key::Pair(key), _) => key.algorithm(),
        };
        let mut header = Map::new();
        header.insert("alg".into(), algorithm.into());
        header.insert("typ".into(), "JWT".into());
        match form {
            Form::NoKid => {}
            Form::UnknownKid => drop(header.insert("kid".into(), "nobody's".into())),
            _ => drop(header.insert("kid".into(), self.name.as_str().into())),
        }
        header
    }

    fn sign(&self, input: &str) -> Vec<u8> {
        match &self.key {
            Key::Secret(_, key) => hmac::sign(key, input.as_bytes()).as_ref().to_vec(),
            Key::Pair(key) => key.signature(key.algorithm(), input.as_bytes()),
        }
    }
}
