//! Requests that were decided, so that the same one need not be again.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::owned::OwnedRequest;
use crate::bytes::{hash, mix};
use crate::decision::Judgment;
use crate::request::Request;
use crate::ruleset::Ruleset;

/// Most bytes of a request that is remembered: a token of usual size, and what goes with it.
const REQUEST_BYTES: usize = 2048;

/// Remembers what was decided about requests with a genuine token.
///
/// A decision follows from the policy, from what the policy reads of the request, and from the token.
/// The first two are compared here, in full. Whether the token is still accepted is a question of time
/// and keys, and asked anew each time. So nothing outlives a change of policy or of keys, and a token's
/// last second is its last.
pub(super) struct Recent {
    /// One for each hash, or none: the last request takes the place of another one.
    places: Vec<Option<Box<Entry>>>,
    /// How many places there are once they are needed: a power of two, or none.
    size: usize,
    /// The policy of all entries, kept so that no other can be taken for it.
    ruleset: Option<Arc<Ruleset>>,
}

struct Entry {
    hash: u64,
    request: OwnedRequest,
    judgment: Arc<Judgment>,
}

impl Recent {
    /// Remembers at most so many requests.
    pub(super) fn new(entries: usize) -> Self {
        let size = entries.checked_ilog2().filter(|log| *log >= 2);
        let size = size.and_then(|log| 1_usize.checked_shl(log)).unwrap_or(0);
        Self { places: Vec::new(), size, ruleset: None }
    }

    /// What was decided about a request that looked the same to this policy.
    #[inline]
    pub(super) fn find(
        &self,
        ruleset: &Arc<Ruleset>,
        seen: &Request<'_>,
    ) -> Option<&Arc<Judgment>> {
        self.ruleset.as_ref().filter(|policy| Arc::ptr_eq(policy, ruleset))?;
        let hash = hash_of(seen);
        let entry = self.places.get(self.place(hash))?.as_deref()?;
        let is_same = entry.hash == hash && entry.request.is(seen);
        is_same.then_some(&entry.judgment)
    }

    /// Remembers what was decided about a request of which only that is left which the policy sees.
    pub(super) fn insert(&mut self, seen: &Request<'_>, judgment: &Arc<Judgment>) {
        if self.size == 0 || OwnedRequest::size(seen) > REQUEST_BYTES {
            return;
        }
        let ruleset = &judgment.ruleset;
        if self.ruleset.as_ref().is_none_or(|policy| !Arc::ptr_eq(policy, ruleset)) {
            self.ruleset = Some(Arc::clone(ruleset));
            self.places.clear();
            self.places.resize_with(self.size, || None);
        }
        let hash = hash_of(seen);
        let place = self.place(hash);
        if let Some(place) = self.places.get_mut(place) {
            let request = OwnedRequest::of(seen);
            *place = Some(Box::new(Entry { hash, request, judgment: Arc::clone(judgment) }));
        }
    }

    #[inline]
    fn place(&self, hash: u64) -> usize {
        let mask = u64::try_from(self.size.saturating_sub(1)).unwrap_or(0);
        usize::try_from(hash & mask).unwrap_or(0)
    }
}

/// Spreads requests by what mostly tells them apart.
#[inline]
fn hash_of(seen: &Request<'_>) -> u64 {
    let start = mix(hash(seen.target), hash(seen.method));
    let hash = seen.headers.iter().fold(start, |sum, line| mix(sum, hash(line.value)));
    hash ^ (hash >> 32)
}

/// Requests hold credentials, so nothing of this can be formatted.
impl fmt::Debug for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").field("size", &self.size).finish_non_exhaustive()
    }
}
