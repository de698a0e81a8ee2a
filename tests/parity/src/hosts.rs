//! The hosts.

mod envoy;
mod native;
mod process;

pub use envoy::EnvoyHost;
pub use native::Native;
pub use process::Process;

use crate::answer::Answer;
use crate::lab::Lab;
use crate::question::Group;

/// A host of Lychgate.
pub trait Host {
    /// Its name.
    fn name(&self) -> &str;

    /// Whether it is a server that may change requests before Lychgate sees them.
    fn is_server(&self) -> bool {
        false
    }

    /// Its answers: one for each case of each group, in order.
    fn answers(&mut self, lab: &Lab, groups: &[Group]) -> Vec<Vec<Answer>>;
}
