//! A map that forgets instead of growing.

use core::hash::Hash;
use std::collections::HashMap;

/// Remembers at least the last `capacity` keys that were asked for, and at most twice as many.
///
/// Two generations: when the young one is full it becomes the old one, and the old one goes.
#[derive(Debug)]
pub(crate) struct BoundedMap<K, V> {
    capacity: usize,
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Hash + Eq, V: Clone> BoundedMap<K, V> {
    /// An empty map.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, young: HashMap::new(), old: HashMap::new() }
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
        let mut map = BoundedMap::new(2);
        assert_eq!(map.entry("a", || 1), 1);
        assert_eq!(map.entry("a", || 2), 1);
    }

    #[test]
    fn what_is_asked_for_again_survives_a_change_of_generations() {
        let mut map = BoundedMap::new(2);
        for key in ["a", "b", "c"] {
            map.entry(key, || 1);
            map.entry("a", || 1);
        }
        assert_eq!(map.entry("a", || 2), 1);
    }

    #[test]
    fn it_holds_at_most_twice_its_capacity() {
        let mut map = BoundedMap::new(3);
        for key in 0..100 {
            map.entry(key, || key);
            assert!(map.young.len() + map.old.len() <= 6);
        }
        assert_eq!(map.entry(0, || 7), 7, "the first key is long forgotten");
    }
}
