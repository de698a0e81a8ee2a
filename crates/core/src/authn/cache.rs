//! Tokens whose signature was found genuine, so that the same bytes need not be checked again.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use crate::bytes::{hash, is_same};
use crate::jwt::{JoseHeader, VerifiedToken};

/// Places for one hash; a token that finds all of them taken replaces one of them.
const WAYS: usize = 4;

/// Headers that are remembered: a few issuers have a key or two each.
const HEADERS: usize = 4;

/// Remembers verified tokens: "these bytes verify under this key", and nothing else but what a few
/// of their headers say.
///
/// Location, key membership, time, audience and policy are checked again on every hit, so a cache
/// changes what an answer costs, never the answer. A token is found by a hash over the end of its
/// signature and then compared in full. Only genuine tokens get in, so nobody can fill it who has none.
/// Lookup and eviction take constant time; both bounds always hold, for the tokens: the few headers
/// are beside them.
pub struct TokenCache {
    slots: Vec<Option<Slot>>,
    /// One less than the number of sets, which is a power of two.
    mask: u64,
    bytes: usize,
    byte_limit: usize,
    /// Where the search for something to evict goes on.
    hand: usize,
    /// The headers of tokens that came last, as they came and as they were read: tokens that one key
    /// signed have the same.
    headers: [Option<(Box<[u8]>, JoseHeader)>; HEADERS],
    /// The one of them that goes next.
    next_header: usize,
}

struct Slot {
    hash: u64,
    token: VerifiedToken,
    bytes: usize,
    /// Set by a hit, cleared by a passing hand: one that is in use survives one round.
    used: bool,
}

impl TokenCache {
    /// Entries of the default cache: as many callers as one worker usually has.
    pub const ENTRIES: usize = 1024;
    /// Bytes of the default cache: 4 KiB for each entry, parsed claims included.
    pub const BYTES: usize = 4 * 1024 * 1024;

    /// A cache for at most so many tokens and so many bytes of memory for them.
    ///
    /// Entries are rounded down to 4 times a power of two; with less than 4 nothing is kept.
    #[must_use]
    pub fn new(entries: usize, bytes: usize) -> Self {
        let sets = entries.checked_div(WAYS).and_then(usize::checked_ilog2);
        let sets = sets.map_or(0, |log| 1_usize.checked_shl(log).unwrap_or(0));
        let mut slots = Vec::new();
        slots.resize_with(sets.saturating_mul(WAYS), || None);
        let mask = u64::try_from(sets.saturating_sub(1)).unwrap_or(0);
        Self {
            slots,
            mask,
            bytes: 0,
            byte_limit: bytes,
            hand: 0,
            headers: [const { None }; HEADERS],
            next_header: 0,
        }
    }

    /// How many tokens there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.iter().flatten().count()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// About how much memory the tokens take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The token with exactly these bytes.
    pub(super) fn find(&mut self, credential: &[u8]) -> Option<VerifiedToken> {
        let hash = hash(credential);
        let slot = self
            .set(hash)
            .iter_mut()
            .flatten()
            .find(|slot| slot.hash == hash && is_same(slot.token.credential(), credential))?;
        slot.used = true;
        Some(slot.token.clone())
    }

    /// The header that has this text, if a genuine token had it.
    pub(super) fn header(&self, text: &[u8]) -> Option<&JoseHeader> {
        let mut known = self.headers.iter().flatten();
        known.find(|(known, _)| is_same(known, text)).map(|(_, header)| header)
    }

    fn insert_header(&mut self, token: &VerifiedToken) {
        let text = token.header_text();
        if self.header(text).is_some() {
            return;
        }
        if let Some(place) = self.headers.get_mut(self.next_header) {
            *place = Some((text.into(), token.header().clone()));
        }
        self.next_header = self.next_header.saturating_add(1).checked_rem(HEADERS).unwrap_or(0);
    }

    /// Remembers a token. One that alone is larger than the bound is not kept.
    pub(super) fn insert(&mut self, token: &VerifiedToken) {
        self.insert_header(token);
        let bytes = token.memory();
        if bytes > self.byte_limit || self.slots.is_empty() {
            return;
        }
        let hash = hash(token.credential());
        let slot = Slot { hash, token: token.clone(), bytes, used: false };
        let Some(place) = choose(self.set(hash), &slot) else { return };
        let replaced = place.replace(slot).map_or(0, |old| old.bytes);
        self.bytes = self.bytes.saturating_sub(replaced).saturating_add(bytes);
        self.evict();
    }

    /// Frees tokens, those out of use first, until the bytes fit. Each token is passed twice at
    /// most; spread over the insertions that made it necessary, that is constant for each.
    fn evict(&mut self) {
        let mut steps = self.slots.len().saturating_mul(2);
        while self.bytes > self.byte_limit && steps > 0 {
            steps = steps.saturating_sub(1);
            self.hand = self.hand.checked_add(1).filter(|n| *n < self.slots.len()).unwrap_or(0);
            let Some(place) = self.slots.get_mut(self.hand) else { return };
            match place {
                Some(slot) if slot.used => slot.used = false,
                Some(_) | None => {
                    let freed = place.take().map_or(0, |slot| slot.bytes);
                    self.bytes = self.bytes.saturating_sub(freed);
                }
            }
        }
    }

    fn set(&mut self, hash: u64) -> &mut [Option<Slot>] {
        let first = usize::try_from(hash & self.mask).unwrap_or(0).saturating_mul(WAYS);
        self.slots.get_mut(first..first.saturating_add(WAYS)).unwrap_or_default()
    }
}

/// The place for a token in its set: where it already is, an empty one, or the first out of use.
/// If all are in use they stop being so, and the first of them goes.
fn choose<'a>(set: &'a mut [Option<Slot>], new: &Slot) -> Option<&'a mut Option<Slot>> {
    let is_same = |slot: &Slot| {
        slot.hash == new.hash && is_same(slot.token.credential(), new.token.credential())
    };
    let index = set
        .iter()
        .position(|place| place.as_ref().is_some_and(is_same))
        .or_else(|| set.iter().position(Option::is_none))
        .or_else(|| set.iter().position(|place| place.as_ref().is_some_and(|slot| !slot.used)));
    if index.is_none() {
        set.iter_mut().flatten().for_each(|slot| slot.used = false);
    }
    set.get_mut(index.unwrap_or(0))
}

impl Default for TokenCache {
    fn default() -> Self {
        Self::new(Self::ENTRIES, Self::BYTES)
    }
}

/// Tokens can't be formatted.
impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("bytes", &self.bytes)
            .field("byte_limit", &self.byte_limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
