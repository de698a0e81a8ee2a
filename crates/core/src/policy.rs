//! AuthorizationPolicy: from Istio's resource to a ruling.
//!
//! A policy is read into plain data ([`resource`]), compiled with a pointer to every mistake
//! ([`PolicyCompiler`]), and evaluated against [`Facts`]. DENY comes before ALLOW, AUDIT and
//! dry-run policies are reported and never decide.
//!
//! Where Lychgate is stricter than Istio, every matcher exists in two senses: a narrow one, which
//! matches no more than Istio's does, and a wide one, which matches no less. ALLOW takes the narrow
//! one for what must hold and the wide one under a `not`; DENY and AUDIT the other way round. So a
//! difference can narrow a grant or widen a refusal, and never the reverse.

mod address;
mod attribute;
mod check;
mod claim;
mod compile;
mod error;
mod evaluate;
mod explain;
mod facts;
mod glob;
mod header;
mod index;
mod matcher;
mod metadata;
mod needs;
mod path;
mod pattern;
mod peer;
pub mod resource;
mod rule;
mod subject;
mod table;
#[cfg(test)]
mod tests;

pub use compile::{PolicyCompiler, PolicyOptions};
pub use error::{PolicyError, PolicyFinding};
pub use evaluate::{Denial, Nearest, PolicySet, RuleRef, Ruling, Shadow};
pub use facts::{Facts, MetadataValue, Metadatum};
pub use needs::Needs;
