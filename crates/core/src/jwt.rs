//! JSON Web Tokens: compact JWS, the keys that verify them, and the claims inside.
//!
//! A token comes in as bytes, becomes an [`UnverifiedToken`] and, when a crypto library says that
//! its signature is genuine, a [`VerifiedToken`]. There is no other way to make one.

pub mod claims;
pub mod compact;
pub mod header;
pub mod jwk;
pub mod jwks;
pub mod key;
pub mod svid;
pub mod token;

#[cfg(test)]
pub(crate) mod testing;

pub use claims::{Claim, ClaimError, Claims, TimeRules};
pub use header::{HeaderError, JoseHeader};
pub use jwks::{KeySet, KeySetError, SkippedKey};
pub use token::{TokenCheck, TokenError, Unproven, UnverifiedToken, VerifiedToken};
