//! A map by digest that forgets instead of growing.

use core::hash::{BuildHasherDefault, Hash, Hasher};
use std::collections::HashMap;

/// Remembers at least the last `capacity` keys that were asked for, and at most twice as many.
///
/// Two generations: when the young one is full it becomes the old one, and the old one goes.
#[derive(Debug)]
pub(crate) struct DigestMap<K, V> {
    capacity: usize,
    young: Generation<K, V>,
    old: Generation<K, V>,
}

type Generation<K, V> = HashMap<K, V, BuildHasherDefault<Ending>>;

/// Takes the end of a key for all of it: the keys here are digests, in hexadecimal, of certificates
/// that an authority signed. Nobody can choose many that collide, and few fit in.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ending(u64);

impl Hasher for Ending {
    fn write(&mut self, bytes: &[u8]) {
        let end = bytes.get(bytes.len().saturating_sub(8)..).unwrap_or_default();
        self.0 = end.iter().fold(self.0, |hash, byte| hash << 8 | u64::from(*byte));
    }

    /// Digits differ in few bits of a byte: an odd multiplier (2^64 divided by the golden ratio)
    /// carries them up, the shift brings them back down.
    fn finish(&self) -> u64 {
        let spread = self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        spread ^ (spread >> 32)
    }
}

impl<K: Hash + Eq, V: Clone> DigestMap<K, V> {
    /// An empty map.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, young: Generation::default(), old: Generation::default() }
    }

    /// The value of this key, made now if it is not remembered.
    pub(crate) fn entry(&mut self, key: K, make: impl FnOnce() -> V) -> V {
        if let Some(value) = self.young.get(&key) {
            return value.clone();
        }
        let value = self.old.remove(&key).unwrap_or_else(make);
        if self.young.len() >= self.capacity {
            self.old = core::mem::take(&mut self.young);
        }
        self.young.insert(key, value.clone());
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_made_once() {
        let mut map = DigestMap::new(2);
        assert_eq!(map.entry("a", || 1), 1);
        assert_eq!(map.entry("a", || 2), 1);
    }

    #[test]
    fn what_is_asked_for_again_survives_a_change_of_generations() {
        let mut map = DigestMap::new(2);
        for key in ["a", "b", "c"] {
            map.entry(key, || 1);
            map.entry("a", || 1);
        }
        assert_eq!(map.entry("a", || 2), 1);
    }

    #[test]
    fn it_holds_at_most_twice_its_capacity() {
        let mut map = DigestMap::new(3);
        for key in 0..100 {
            map.entry(key, || key);
            assert!(map.young.len() + map.old.len() <= 6);
        }
        assert_eq!(map.entry(0, || 7), 7, "the first key is long forgotten");
    }
}
