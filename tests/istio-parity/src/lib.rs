//! Compares Lychgate's verdicts with those of the configuration that Istio gives Envoy.
//!
//! [`translate`] turns Istio's resources into that configuration; it is proven against Istio's own
//! published pairs. [`generate`] makes policies and requests that nearly match each other, [`real`]
//! has a real Envoy answer them, with the translated filters and with Lychgate's, and [`parity`]
//! says same, stricter or looser. [`oracle`] is a model of Envoy: it explains what is stricter, and
//! judges where no Envoy is at hand; every run with Envoy also shows that the two agree.
//! [`strictness`] is the list of what may differ.
//!
//! Everything here is written from the observed semantics, and shares no code with the engine that
//! it judges.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::std_instead_of_core,
    clippy::alloc_instead_of_core,
    clippy::wildcard_enum_match_arm,
    reason = "test code: what can't be run must stop the run with a message"
)]

pub mod case;
pub mod generate;
pub mod keys;
pub mod oracle;
pub mod parity;
pub mod random;
pub mod rbac;
pub mod real;
pub mod resource;
pub mod strictness;
pub mod translate;
