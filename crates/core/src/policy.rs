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
//!
//! | strictness | narrow | wide | Istio with Envoy |
//! |---|---|---|---|
//! | `header_lines` | every line matches; where the host joined lines, every element too | a line or an element of a comma list matches | a line matches |
//! | `namespace_form` | the ID is exactly `/ns/<namespace>/sa/<account>` | as Istio | `/ns/<namespace>/` stands anywhere in it |
//! | `service_account_form` | the same | as Istio, letter by letter | other segments may stand before and behind `sa/<account>` |
//! | `trust_domain_path` | as Istio | an ID without a path is inside | an ID has a path |
//! | `request_principal_joined` | as Istio | also `issuer/subject` as one text, wherever its slash is | the value is split at its last slash |
//! | `scope_text` | as Istio | also the whole string | a string of scopes is its words |
//! | `star_line` | as Istio | any text that is not empty | `*` does not match a line feed |
//! | `template_characters` | as Istio | any character | wildcards match only the characters of a path |
//!
//! What can never match refuses to load, with the value to write instead: a star in the middle,
//! `spiffe://` in a principal, a request principal without a subject, a claim that is a number, a
//! path without its slash or with a query, a host with a scheme, a server name in capitals.

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
mod inspect;
mod lint;
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
pub use error::PolicyError;
pub use evaluate::{Denial, Nearest, PolicySet, RuleRef, Ruling, Shadow};
pub use facts::Facts;
pub use inspect::{ConditionView, Effect, RuleView, Sight};
pub use lint::{Lint, LintedPolicy, PolicyFinding, Surroundings, lint};
pub use needs::Needs;
