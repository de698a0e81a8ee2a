//! Asks every host the same questions and compares what they answer, byte for byte.
//!
//! A question is a bundle, its keys, a time and a request; an answer is the audit record with the
//! reply. Questions come from `tests/vectors` ([`vectors`]) or from a seed ([`random`]). The native
//! library answers first; whatever another host ([`hosts`]) says otherwise is a difference, and the
//! first one is made as small as it can be ([`reduce`]).
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::std_instead_of_core,
    clippy::alloc_instead_of_core,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    reason = "test code: what can't be run must stop the run with a message"
)]

pub mod answer;
pub mod compare;
pub mod hosts;
pub mod lab;
pub mod question;
pub mod random;
pub mod reduce;
pub mod vectors;
