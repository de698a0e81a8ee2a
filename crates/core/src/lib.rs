//! Decides about requests at a trust boundary.
#![no_std]

extern crate alloc;

mod audit;
pub mod authn;
pub mod base64;
mod config;
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
pub use finding::{Finding, FindingCode, Severity};

use engine::Engine;
use jwt::key::KeyCheck;

impl Engine {
    /// Loads a bundle, whole or not at all.
    ///
    /// Resources that do not apply to the bundle's workload are left out, as Istio leaves them out.
    ///
    /// # Errors
    /// [`LoadError`] says what is wrong and where in the bundle; a policy that was in force before
    /// stays in force.
    pub fn load(bundle: &[u8], keys: &dyn KeyCheck) -> Result<Self, LoadError> {
        let (ruleset, warnings) = config::load(bundle, keys)?;
        Ok(Self::new(ruleset, warnings))
    }
}
