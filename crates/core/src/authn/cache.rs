//! Tokens whose signature was found genuine, so that the same bytes need not be checked again.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::{fmt, mem};

use crate::bytes::{hash, is_same};
use crate::jwt::{JoseHeader, VerifiedToken};

/// Places for one hash; a token that finds all of them taken replaces one of them.
const WAYS: usize = 4;

/// One place in so many is for tokens that came for the first time.
const NEWCOMERS: usize = 16;

/// Such a token may be so many times as large as one on average, so they have a quarter of the bytes.
const NEWCOMER_SIZE: usize = 4;

/// So many hashes of tokens that came are remembered for each place.
const SEEN: usize = 4;

/// Headers that are remembered: a few issuers have a key or two each.
const HEADERS: usize = 4;

/// Remembers verified tokens: "these bytes verify under this key", and nothing else but what a few
/// of their headers say.
///
/// Location, key membership, time, audience and policy are checked again on every hit, so a cache
/// changes what an answer costs, never the answer. A token is found by a hash over the end of its
/// signature and then compared in full. Only genuine tokens get in, so nobody can fill it who has none.
/// Lookup and eviction take constant time; both bounds always hold, for the tokens: the few headers
/// and 16 bytes for each entry are beside them.
///
/// A token that comes for the first time takes one of a few places for newcomers. The one that was
/// there moves to a place among the others if one is free, and else it goes. So tokens that come once
/// never evict those in use, and where they are all that comes their memory stays in the processor's
/// cache. One that comes again when it has gone is verified a second time, and is then mostly known to
/// have come: it gets a place as well.
pub struct TokenCache {
    /// Places for newcomers, one for each hash, and then sets of places for tokens that came again.
    slots: Vec<Option<Slot>>,
    /// How many of the places are for newcomers.
    newcomers: usize,
    /// How large a newcomer may be, so that all together keep to their share of the bytes.
    newcomer_limit: usize,
    /// Pieces of the hashes of tokens that came, by place.
    seen: Vec<u32>,
    /// Memory of all tokens but newcomers.
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
    /// Entries are rounded down to a multiple of 4; with less than 4 nothing is kept.
    #[must_use]
    pub fn new(entries: usize, bytes: usize) -> Self {
        let in_sets = |count: usize| count.saturating_sub(count % WAYS);
        let (entries, newcomers) = (in_sets(entries), in_sets(entries / NEWCOMERS));
        let mut slots = Vec::new();
        slots.resize_with(entries, || None);
        let seen = if newcomers == 0 { 0 } else { entries.saturating_mul(SEEN) };
        let newcomer_limit = bytes.checked_div(entries).unwrap_or(0).saturating_mul(NEWCOMER_SIZE);
        Self {
            slots,
            newcomers,
            newcomer_limit,
            seen: vec![0; seen],
            bytes: 0,
            byte_limit: bytes.saturating_sub(newcomer_limit.saturating_mul(newcomers)),
            hand: newcomers,
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
        self.slots.iter().flatten().map(|slot| slot.bytes).sum()
    }

    /// The token with exactly these bytes.
    pub(super) fn find(&mut self, credential: &[u8]) -> Option<VerifiedToken> {
        let hash = hash(credential);
        let is_it = |slot: &Slot| slot.is(hash, credential);
        if let Some(slot) = self.set(hash).iter_mut().flatten().find(|slot| is_it(slot)) {
            slot.used = true;
            return Some(slot.token.clone());
        }
        let slot = self.newcomer(hash)?.take_if(|slot| is_it(slot))?;
        let token = slot.token.clone();
        self.settle(Slot { used: true, ..slot });
        Some(token)
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
        let (bytes, hash) = (token.memory(), hash(token.credential()));
        let slot = Slot { hash, token: token.clone(), bytes, used: false };
        let (comes_again, is_small) = (self.note(hash), bytes <= self.newcomer_limit);
        let Some(place) = self.newcomer(hash) else { return self.settle(slot) };
        if comes_again {
            place.take_if(|old| old.is(hash, token.credential()));
            self.settle(slot);
        } else if is_small && let Some(old) = place.replace(slot) {
            self.move_on(old);
        }
    }

    /// Gives a token that came again a place, whoever is there.
    fn settle(&mut self, slot: Slot) {
        let bytes = slot.bytes;
        if bytes > self.byte_limit {
            return;
        }
        let Some(place) = choose(self.set(slot.hash), &slot) else { return };
        let replaced = place.replace(slot).map_or(0, |old| old.bytes);
        self.bytes = self.bytes.saturating_sub(replaced).saturating_add(bytes);
        self.evict();
    }

    /// Gives a newcomer whose place another one took a place that is free.
    fn move_on(&mut self, slot: Slot) {
        let bytes = self.bytes.saturating_add(slot.bytes);
        if bytes > self.byte_limit {
            return;
        }
        let set = self.set(slot.hash);
        if let Some(place) = own_or_free(set, &slot).and_then(|index| set.get_mut(index))
            && place.is_none()
        {
            *place = Some(slot);
            self.bytes = bytes;
        }
    }

    /// Frees tokens, those out of use first, until the bytes fit. Each token is passed twice at
    /// most; spread over the insertions that made it necessary, that is constant for each.
    fn evict(&mut self) {
        let mut steps = self.slots.len().saturating_mul(2);
        while self.bytes > self.byte_limit && steps > 0 {
            steps = steps.saturating_sub(1);
            let next = self.hand.checked_add(1).filter(|next| *next < self.slots.len());
            self.hand = next.unwrap_or(self.newcomers);
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

    /// The place for a newcomer with this hash, if there are any.
    fn newcomer(&mut self, hash: u64) -> Option<&mut Option<Slot>> {
        let index = spread(hash, self.newcomers);
        self.slots.get_mut(..self.newcomers)?.get_mut(index)
    }

    /// The places for tokens with this hash that came again.
    fn set(&mut self, hash: u64) -> &mut [Option<Slot>] {
        let (sets, _) =
            self.slots.get_mut(self.newcomers..).unwrap_or_default().as_chunks_mut::<WAYS>();
        let index = spread(hash, sets.len());
        sets.get_mut(index).map_or(&mut [], <[_; WAYS]>::as_mut_slice)
    }

    /// Remembers that a token with this hash came, and says whether one did before. Another one in
    /// between may have taken its place.
    fn note(&mut self, hash: u64) -> bool {
        let index = spread(hash >> 32, self.seen.len());
        let piece = low(hash);
        self.seen.get_mut(index).is_some_and(|seen| mem::replace(seen, piece) == piece)
    }
}

impl Slot {
    fn is(&self, hash: u64, credential: &[u8]) -> bool {
        self.hash == hash && is_same(self.token.credential(), credential)
    }
}

/// The index that the lower half of a hash has among so many places.
fn spread(hash: u64, places: usize) -> usize {
    let places = u64::try_from(places).unwrap_or(0);
    usize::try_from(u64::from(low(hash)).wrapping_mul(places) >> 32).unwrap_or(0)
}

fn low(hash: u64) -> u32 {
    u32::try_from(hash & u64::from(u32::MAX)).unwrap_or(0)
}

/// The place for a token in its set: where it already is, an empty one, or the first out of use.
/// If all are in use they stop being so, and the first of them goes.
fn choose<'a>(set: &'a mut [Option<Slot>], new: &Slot) -> Option<&'a mut Option<Slot>> {
    let index = own_or_free(set, new)
        .or_else(|| set.iter().position(|place| place.as_ref().is_some_and(|slot| !slot.used)));
    if index.is_none() {
        set.iter_mut().flatten().for_each(|slot| slot.used = false);
    }
    set.get_mut(index.unwrap_or(0))
}

/// Where a token is in its set, or else the first place where none is.
fn own_or_free(set: &[Option<Slot>], new: &Slot) -> Option<usize> {
    let is_own = |slot: &Slot| slot.is(new.hash, new.token.credential());
    set.iter()
        .position(|place| place.as_ref().is_some_and(is_own))
        .or_else(|| set.iter().position(Option::is_none))
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
