//! How much work a check may be.

use crate::bundle::Bundle;

/// Bytes that may still be read. Bundles are read again for each error, each correction and each
/// workload, so what somebody wrote to hurt would cost its size squared.
#[derive(Debug)]
pub(super) struct Effort(usize);

impl Effort {
    /// For one bundle: some hundred readings of an ordinary one, a few of the largest.
    pub(super) const fn for_one() -> Self {
        Self(24 * 1024 * 1024)
    }

    /// For all workloads of a folder: some ten thousand with ordinary policies.
    pub(super) const fn for_all() -> Self {
        Self(64 * 1024 * 1024)
    }

    pub(super) fn spend(&mut self, bundle: &Bundle) {
        self.0 = self.0.saturating_sub(bundle.text.len());
    }

    /// Taking a resource out reads and writes.
    pub(super) fn spend_on_rewriting(&mut self, bundle: &Bundle) {
        self.0 = self.0.saturating_sub(bundle.text.len().saturating_mul(3));
    }

    pub(super) const fn is_left(&self) -> bool {
        self.0 > 0
    }
}
