//! Arithmetic for the curves of ECDSA.
//!
//! All operands in it are public, so the time it takes may depend on them.

pub(crate) mod constants;
pub(crate) mod field;
pub(crate) mod modulus;
pub(crate) mod signed;
