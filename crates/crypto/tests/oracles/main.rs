//! The portable implementation against the test vectors of others.
//!
//! Where it gives another answer on purpose, `differences.rs` says so and why; a difference that
//! is listed there and does not occur fails as well.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

mod any_bytes;
mod differences;
mod ecdsa;
mod ed25519;
mod forgeries;
mod jose;
mod support;
mod wycheproof;
