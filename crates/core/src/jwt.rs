//! JSON Web Tokens: compact JWS, the keys that verify them, and the claims inside.

pub mod key;
