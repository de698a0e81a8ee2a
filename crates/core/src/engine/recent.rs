//! Requests that were decided, so that the same one need not be again.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::owned::OwnedRequest;
use crate::bytes::{hash, mix};
use crate::decision::{Judgment, Verdict};
use crate::request::Request;
use crate::ruleset::Ruleset;

/// Most bytes of a request that is remembered: a token of usual size, and what goes with it.
const REQUEST_BYTES: usize = 2048;

/// Most header lines of it, of those that the policy reads.
const REQUEST_LINES: usize = 16;

/// Remembers what was decided about requests with a genuine token, if they may pass and come
/// repeatedly.
///
/// A decision follows from the policy, from what the policy reads of the request, and from the token.
/// The first two are compared here, in full. Whether the token is still accepted is a question of time
/// and keys, and asked anew each time. So no answer outlives a change of policy or of keys, and a
/// token's last second is its last.
pub(super) struct Recent {
    /// One for each hash, or none: the last request that came twice takes the place of another one.
    places: Vec<Place>,
    /// How many places there are once they are needed: a power of two, or none.
    size: usize,
    /// Memory that all entries take, tokens included.
    bytes: usize,
    byte_limit: usize,
    /// The policy of all entries, kept so that no other can be taken for it.
    ruleset: Option<Arc<Ruleset>>,
}

#[derive(Default)]
struct Place {
    /// The hash of the last request that looked for this place and was not found.
    missed: u64,
    entry: Option<Box<Entry>>,
}

struct Entry {
    hash: u64,
    request: OwnedRequest,
    judgment: Arc<Judgment>,
    bytes: usize,
}

impl Recent {
    /// Remembers at most so many requests, and so many bytes of memory for them.
    pub(super) fn new(entries: usize, bytes: usize) -> Self {
        let size = entries.checked_ilog2().filter(|log| *log >= 2);
        let size = size.and_then(|log| 1_usize.checked_shl(log)).unwrap_or(0);
        Self { places: Vec::new(), size, bytes: 0, byte_limit: bytes, ruleset: None }
    }

    /// What was decided about a request that looked the same to this policy.
    #[inline]
    pub(super) fn find(
        &mut self,
        ruleset: &Arc<Ruleset>,
        seen: &Request<'_>,
    ) -> Option<&Arc<Judgment>> {
        if !self.ruleset.as_ref().is_some_and(|policy| Arc::ptr_eq(policy, ruleset)) {
            self.forget();
            return None;
        }
        let hash = hash_of(seen);
        let entry = self.places.get(self.place(hash))?.entry.as_deref()?;
        let is_same = entry.hash == hash && entry.request.is(seen);
        is_same.then_some(&entry.judgment)
    }

    /// What was decided about a request of which only that is left which the policy sees. If it came
    /// before, it is remembered from now on.
    pub(super) fn keep(&mut self, seen: &Request<'_>, judgment: Judgment) -> Arc<Judgment> {
        let fits = seen.headers.len() <= REQUEST_LINES && OwnedRequest::size(seen) <= REQUEST_BYTES;
        if self.size == 0 || !fits || judgment.reason.verdict() == Verdict::Deny {
            return Arc::new(judgment);
        }
        if self.ruleset.is_none() {
            self.ruleset = Some(Arc::clone(&judgment.ruleset));
            self.places.resize_with(self.size, Place::default);
        }
        let hash = hash_of(seen);
        let index = self.place(hash);
        match self.places.get_mut(index) {
            Some(place) if place.missed == hash => {
                let judgment = Arc::new(judgment.prepared());
                self.insert(index, hash, OwnedRequest::of(seen), &judgment);
                judgment
            }
            Some(place) => {
                place.missed = hash;
                Arc::new(judgment)
            }
            None => Arc::new(judgment),
        }
    }

    /// Begins anew where the bytes no longer fit: that happens once for all that it makes room for.
    fn insert(&mut self, index: usize, hash: u64, request: OwnedRequest, judgment: &Arc<Judgment>) {
        let bytes = request.memory().saturating_add(judgment.memory());
        if bytes > self.byte_limit {
            return;
        }
        if self.bytes.saturating_add(bytes) > self.byte_limit {
            self.places.iter_mut().for_each(|place| place.entry = None);
            self.bytes = 0;
        }
        let Some(place) = self.places.get_mut(index) else { return };
        let entry = Entry { hash, request, judgment: Arc::clone(judgment), bytes };
        let replaced = place.entry.replace(Box::new(entry)).map_or(0, |entry| entry.bytes);
        self.bytes = self.bytes.saturating_sub(replaced).saturating_add(bytes);
    }

    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.bytes
    }

    /// Nothing is known of another policy, and the one before need not stay in memory.
    fn forget(&mut self) {
        self.ruleset = None;
        self.places = Vec::new();
        self.bytes = 0;
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
    let start = mix(hash(seen.method), hash(seen.authority.unwrap_or_default()));
    let start = seen.target.chunks(128).fold(start, |sum, part| mix(sum, hash(part)));
    let hash = seen.headers.iter().fold(start, |sum, line| mix(sum, hash(line.value)));
    hash ^ (hash >> 32)
}

/// Requests hold credentials, so nothing of this can be formatted.
impl fmt::Debug for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").field("size", &self.size).finish_non_exhaustive()
    }
}
