//! Finding the keys that fit a value: all that equal it, begin it or end it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::index::Key;
use super::pattern::Case;
use crate::order;

/// Rules by key, for one dimension.
#[derive(Debug, Clone)]
pub(super) struct Table {
    exact: Keys,
    prefixes: Keys,
    suffixes: Keys,
    /// Rules that want some value.
    present: Box<[u32]>,
}

impl Table {
    /// `entries` holds, once for each key, rule numbers in ascending order.
    pub(super) fn new(entries: impl IntoIterator<Item = (Key, Vec<u32>)>, case: Case) -> Self {
        let (mut exact, mut prefixes, mut suffixes) = (Vec::new(), Vec::new(), Vec::new());
        let mut present = Vec::new();
        for (key, rules) in entries {
            match key {
                Key::Exact(text) => exact.push((text, rules)),
                Key::Prefix(text) => prefixes.push((text, rules)),
                Key::Suffix(text) => suffixes.push((text.iter().rev().copied().collect(), rules)),
                Key::Present => present = rules,
            }
        }
        Self {
            exact: Keys::new(exact, case, Direction::Forward),
            prefixes: Keys::new(prefixes, case, Direction::Forward),
            suffixes: Keys::new(suffixes, case, Direction::Backward),
            present: present.into(),
        }
    }

    /// Gives every list of rules with a key that fits.
    pub(super) fn find<'t>(&'t self, value: &[u8], give: &mut impl FnMut(&'t [u32])) {
        if !self.present.is_empty() {
            give(&self.present);
        }
        self.exact.find_equal(value, give);
        self.prefixes.find_starts(value, give);
        self.suffixes.find_starts(value, give);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    /// Keys are stored backwards, and values read so: what ends a value then begins it.
    Backward,
}

/// Keys in ascending order.
#[derive(Debug, Clone)]
struct Keys {
    entries: Box<[Entry]>,
    case: Case,
    direction: Direction,
}

#[derive(Debug, Clone)]
struct Entry {
    text: Box<[u8]>,
    /// The longest other key that begins this one.
    parent: Option<usize>,
    rules: Box<[u32]>,
}

impl Keys {
    fn new(mut texts: Vec<(Box<[u8]>, Vec<u32>)>, case: Case, direction: Direction) -> Self {
        order::sort_by(&mut texts, |(a, _), (b, _)| a < b);
        let mut entries: Vec<Entry> = Vec::with_capacity(texts.len());
        for (text, rules) in texts {
            // Whatever begins this key also begins, or is, the key before it.
            let mut parent = entries.len().checked_sub(1);
            while let Some(entry) = parent.and_then(|parent| entries.get(parent)) {
                if text.starts_with(&entry.text) {
                    break;
                }
                parent = entry.parent;
            }
            entries.push(Entry { text, parent, rules: rules.into() });
        }
        Self { entries: entries.into(), case, direction }
    }

    fn find_equal<'t>(&'t self, value: &[u8], give: &mut impl FnMut(&'t [u32])) {
        let found = self.entries.binary_search_by(|entry| self.compare(&entry.text, value));
        if let Some(entry) = found.ok().and_then(|index| self.entries.get(index)) {
            give(&entry.rules);
        }
    }

    /// All keys that begin `value` are ancestors of the last key that is not behind it.
    fn find_starts<'t>(&'t self, value: &[u8], give: &mut impl FnMut(&'t [u32])) {
        let behind = self
            .entries
            .partition_point(|entry| self.compare(&entry.text, value) != Ordering::Greater);
        let mut index = behind.checked_sub(1);
        while let Some(entry) = index.and_then(|index| self.entries.get(index)) {
            if self.begins(&entry.text, value) {
                give(&entry.rules);
            }
            index = entry.parent;
        }
    }

    fn compare(&self, text: &[u8], value: &[u8]) -> Ordering {
        let fold = |byte: u8| match self.case {
            Case::Sensitive => byte,
            Case::Folded => byte.to_ascii_lowercase(),
        };
        match (self.direction, self.case) {
            (Direction::Forward, Case::Sensitive) => text.cmp(value),
            (Direction::Forward, Case::Folded) => {
                text.iter().copied().cmp(value.iter().copied().map(fold))
            }
            (Direction::Backward, _) => {
                text.iter().copied().cmp(value.iter().rev().copied().map(fold))
            }
        }
    }

    fn begins(&self, text: &[u8], value: &[u8]) -> bool {
        let start = match self.direction {
            Direction::Forward => value.get(..text.len()),
            Direction::Backward => {
                value.len().checked_sub(text.len()).and_then(|start| value.get(start..))
            }
        };
        start.is_some_and(|start| self.compare(text, start) == Ordering::Equal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    fn found(table: &Table, value: &[u8]) -> Vec<u32> {
        let mut rules = Vec::new();
        table.find(value, &mut |list| rules.extend(list));
        rules.sort_unstable();
        rules
    }

    fn key() -> impl Strategy<Value = Key> {
        let text = || "[abAB]{0,4}".prop_map(|text| text.into_bytes().into());
        prop_oneof![
            text().prop_map(Key::Exact),
            text().prop_map(Key::Prefix),
            text().prop_map(Key::Suffix),
            Just(Key::Present),
        ]
    }

    fn fits(key: &Key, value: &[u8]) -> bool {
        match key {
            Key::Exact(text) => **text == *value,
            Key::Prefix(text) => value.starts_with(text),
            Key::Suffix(text) => value.ends_with(text),
            Key::Present => true,
        }
    }

    proptest! {
        #[test]
        fn exactly_the_keys_that_fit_are_found(
            keys in proptest::collection::vec(key(), 0..40),
            value in "[abAB]{0,5}",
            folded: bool,
        ) {
            let (case, value) = if folded {
                (Case::Folded, value.to_ascii_lowercase())
            } else {
                (Case::Sensitive, value)
            };
            let mut entries: BTreeMap<Key, Vec<u32>> = BTreeMap::new();
            let mut expected = Vec::new();
            for (rule, key) in (0..).zip(keys) {
                let key = if folded { key.lower() } else { key };
                if fits(&key, value.as_bytes()) {
                    expected.push(rule);
                }
                entries.entry(key).or_default().push(rule);
            }
            let table = Table::new(entries, case);
            prop_assert_eq!(&found(&table, value.as_bytes()), &expected);
            if folded {
                prop_assert_eq!(found(&table, value.to_ascii_uppercase().as_bytes()), expected);
            }
        }
    }
}
