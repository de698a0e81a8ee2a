//! Tokens, minted before anything is measured.

use std::cell::Cell;
use std::fs;

use lychgate_tests_envoy::{SigningKey, token, wasm};
use serde_json::json;

use crate::contender::{AUDIENCE, ISSUER};

/// Seconds that a token lives; a pool is kept from run to run while half of that is left.
const LIFETIME: u64 = 7 * 24 * 3600;

/// A token with the size of those that identity providers issue (about 850 bytes).
pub(crate) fn mint(key: &SigningKey, subject: &str, id: &str) -> String {
    let now = token::now();
    key.sign(&json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": subject, "jti": id,
        "iat": now, "nbf": now, "exp": now + LIFETIME,
        "scope": "openid profile payments:read payments:write",
        "groups": ["payments", "orders", "checkout"],
        "email": "order-service@bench.example", "tenant": "3f0c2a52-7f0e-4a5c-9a7e-6f0d5b0c9b11",
    }))
}

/// Many tokens that differ only in `jti`, handed out in turn.
#[derive(Debug)]
pub(crate) struct Pool {
    tokens: Vec<String>,
    position: Cell<usize>,
}

impl Pool {
    /// Takes the pool that an earlier run left, or mints one.
    pub(crate) fn load(key: &SigningKey, size: usize) -> Self {
        let path = wasm::target().join("bench-tokens");
        let limit = token::now() - LIFETIME / 2;
        let kept = fs::read_to_string(&path).unwrap_or_default();
        let mut lines = kept.lines();
        let minted = lines.next().and_then(|line| line.parse().ok()).unwrap_or(0_u64);
        let mut tokens: Vec<String> = lines.map(str::to_owned).collect();
        if minted < limit || tokens.len() != size {
            eprintln!("minting {size} tokens ...");
            tokens = (0..size).map(|n| mint(key, "order-service", &n.to_string())).collect();
            let _ = fs::write(&path, format!("{}\n{}\n", token::now(), tokens.join("\n")));
        }
        Self { tokens, position: Cell::new(0) }
    }

    /// The next token.
    pub(crate) fn next(&self) -> &str {
        let position = self.position.get();
        self.position.set((position + 1) % self.tokens.len());
        &self.tokens[position]
    }
}
