//! Tokens as vectors describe them: genuine, wrong in one place, or no token at all.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::keys::{Key, PublicForm, SigningAlgorithm, authenticate};
use crate::text::Mint;

mod tamper;

use tamper::{Segments, Tamper};

/// A token as a vector describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenSpec {
    /// Claims over the usual ones.
    #[serde(default)]
    claims: Map<String, Value>,
    /// The payload's text, instead of claims; `{{now-60}}` stands for a number.
    payload_text: Option<String>,
    /// Header members over the usual ones.
    #[serde(default)]
    header: Map<String, Value>,
    /// The header's text, instead of members.
    header_text: Option<String>,
    /// The payload's bytes, base64, instead of text.
    payload_bytes: Option<String>,
    /// The header's bytes, base64, instead of text.
    header_bytes: Option<String>,
    /// The name of the signing key.
    #[serde(default = "usual_key")]
    key: String,
    /// The algorithm that signs, and the header's `alg` unless `header` says otherwise.
    alg: Option<SigningAlgorithm>,
    /// Signs with HMAC, keyed with this form of the key's public half.
    hmac_with: Option<PublicForm>,
    /// Signs with PSS and a salt of this length.
    pss_salt: Option<usize>,
    /// Changes to the segments that the signature then covers.
    #[serde(default)]
    before_signing: Vec<Tamper>,
    /// Changes after signing.
    #[serde(default)]
    tamper: Vec<Tamper>,
    /// The whole token, instead of everything above.
    raw: Option<String>,
    /// Where the token stands.
    #[serde(default)]
    location: TokenPlace,
}

/// Where a request carries a token.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenPlace {
    /// A header line of its own.
    Header {
        /// The field name.
        name: String,
        /// What stands before the token.
        prefix: String,
    },
    /// A query parameter at the end of the target.
    Query {
        /// The parameter.
        name: String,
    },
    /// A cookie in a line of its own.
    Cookie {
        /// The cookie.
        name: String,
    },
}

impl Default for TokenPlace {
    fn default() -> Self {
        Self::Header { name: "authorization".into(), prefix: "Bearer ".into() }
    }
}

impl TokenSpec {
    /// Where the token stands.
    #[must_use]
    pub fn place(&self) -> &TokenPlace {
        &self.location
    }

    /// The token, made at `mint.now`.
    #[must_use]
    pub fn mint(&self, mint: Mint<'_>) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return raw.clone().into_bytes();
        }
        let key = mint.keys.key(&self.key);
        let algorithm = self.alg.unwrap_or_else(|| self.usual_algorithm(key));
        let mut segments = Segments {
            header: Base64UrlUnpadded::encode_string(&self.header_bytes(algorithm, mint.now)),
            payload: Base64UrlUnpadded::encode_string(&self.payload_bytes(mint.now)),
            signature: String::new(),
            whole: None,
        };
        for tamper in &self.before_signing {
            tamper.apply(&mut segments, key);
        }
        let message = format!("{}.{}", segments.header, segments.payload).into_bytes();
        let signature = self.signature(key, algorithm, &message);
        segments.signature = Base64UrlUnpadded::encode_string(&signature);
        for tamper in &self.tamper {
            tamper.apply(&mut segments, key);
        }
        segments.text().into_bytes()
    }

    fn usual_algorithm(&self, key: &Key) -> SigningAlgorithm {
        match (self.hmac_with, self.pss_salt) {
            (Some(_), _) => SigningAlgorithm::Hs256,
            (None, Some(_)) => SigningAlgorithm::Ps256,
            (None, None) => key.usual_algorithm(),
        }
    }

    fn signature(&self, key: &Key, algorithm: SigningAlgorithm, message: &[u8]) -> Vec<u8> {
        match (self.hmac_with, self.pss_salt) {
            (Some(form), _) => authenticate(algorithm, &key.public_bytes(form), message),
            (None, Some(salt)) => key.sign_pss_with_salt(message, salt),
            (None, None) => key.sign(algorithm, message),
        }
    }

    fn header_bytes(&self, algorithm: SigningAlgorithm, now: i64) -> Vec<u8> {
        if let Some(text) = &self.header_bytes {
            return base64ct::Base64::decode_vec(text).expect("base64 in a vector");
        }
        if let Some(text) = &self.header_text {
            return with_times(text, now).into_bytes();
        }
        let usual = json!({ "alg": algorithm.name(), "kid": self.key, "typ": "JWT" });
        merged(usual, &self.header, now).to_string().into_bytes()
    }

    fn payload_bytes(&self, now: i64) -> Vec<u8> {
        if let Some(text) = &self.payload_bytes {
            return base64ct::Base64::decode_vec(text).expect("base64 in a vector");
        }
        if let Some(text) = &self.payload_text {
            return with_times(text, now).into_bytes();
        }
        let usual = json!({
            "iss": "https://issuer.example",
            "sub": "alice",
            "iat": now - 60,
            "exp": now + 300,
        });
        merged(usual, &self.claims, now).to_string().into_bytes()
    }
}

/// `usual` with `changes` over it: `{"$now": n}` is a time, `{"$absent": true}` removes.
fn merged(usual: Value, changes: &Map<String, Value>, now: i64) -> Value {
    let Value::Object(mut members) = usual else { return usual };
    for (name, value) in changes {
        if value["$absent"] == Value::Bool(true) {
            members.shift_remove(name);
        } else {
            members.insert(name.clone(), made(value, now));
        }
    }
    Value::Object(members)
}

/// A claim's value: `{"$now": n}` is a time, `{"$repeat": ["ab", n]}` a long string.
fn made(value: &Value, now: i64) -> Value {
    if let Some(offset) = value.get("$now") {
        return match offset.as_i64() {
            Some(seconds) => Value::from(now + seconds),
            None => Value::from(now as f64 + offset.as_f64().expect("number in $now")),
        };
    }
    if let Some(repeat) = value.get("$repeat") {
        let times = repeat[1].as_u64().expect("count in $repeat") as usize;
        return Value::from(repeat[0].as_str().expect("text in $repeat").repeat(times));
    }
    value.clone()
}

/// The text with `{{now+60}}`, `{{now-60}}` and `{{now}}` replaced.
fn with_times(text: &str, now: i64) -> String {
    let mut made = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{now") {
        let (offset, after) = after.split_once("}}").expect("}} in a payload's text");
        let offset = if offset.is_empty() { 0 } else { offset.parse().expect("offset of now") };
        made.push_str(before);
        made.push_str(&(now + offset).to_string());
        rest = after;
    }
    made.push_str(rest);
    made
}

fn usual_key() -> String {
    "rsa-1".into()
}
