//! Decides about requests at a trust boundary.
//!
//! What runs for a request that is remembered is marked `#[inline]`: it is then compiled with the
//! crate that embeds core, at the level of that one, while the rest may be compiled for size.
#![no_std]

extern crate alloc;

mod ascii;
mod audit;
pub mod authn;
pub mod base64;
mod bytes;
mod config;
mod correction;
pub mod decision;
pub mod engine;
mod finding;
pub mod json;
pub mod jwt;
pub mod limits;
mod order;
pub mod policy;
pub mod reply;
pub mod request;
mod ruleset;
pub mod spiffe;
pub mod time;
pub mod upstream;

pub use config::{LoadError, LoadProblem, select, unselected};
pub use correction::{Correction, correction};
pub use finding::{Finding, FindingCode, Severity};

use alloc::vec::Vec;
use engine::Engine;
use jwt::key::KeyCheck;
use policy::Lint;

impl Engine {
    /// Loads a bundle, whole or not at all.
    ///
    /// Resources that do not apply to the bundle's workload are left out, as Istio leaves them out.
    ///
    /// # Errors
    /// [`LoadError`] says what is wrong and where in the bundle; a policy that was in force before
    /// stays in force.
    pub fn load(bundle: &[u8], keys: &dyn KeyCheck) -> Result<Self, LoadError> {
        Self::load_with(bundle, keys, policy::lint)
    }

    /// The same without looking for rules that are probably not meant, for hosts where code is
    /// dear: their bundles have been looked through when they were compiled.
    ///
    /// What loading notices by itself is still among the [`warnings`](Self::warnings); every
    /// decision is the same.
    ///
    /// # Errors
    /// As for [`load`](Self::load).
    pub fn load_unlinted(bundle: &[u8], keys: &dyn KeyCheck) -> Result<Self, LoadError> {
        Self::load_with(bundle, keys, |_, _| Vec::new())
    }

    fn load_with(bundle: &[u8], keys: &dyn KeyCheck, lint: Lint) -> Result<Self, LoadError> {
        let (ruleset, warnings) = config::load(bundle, keys, lint)?;
        Ok(Self::new(ruleset, warnings))
    }
}
