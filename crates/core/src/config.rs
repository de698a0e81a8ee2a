//! From a bundle's text to the policy in force: whole or nothing.
//!
//! A bundle is one JSON document: the workload that it is for, the settings, and Kubernetes-style
//! resources. Loading selects the resources that apply to the workload, as Istio does, so a bundle
//! may hold more than them.

mod authentication;
mod authorization;
mod bundle;
mod error;
mod peer;
mod resource;
mod select;
mod settings;
mod workload;

pub(crate) use bundle::load;
pub use error::{LoadError, LoadProblem};
pub use select::{select, unselected};
