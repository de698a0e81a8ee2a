//! Sorting for lists that are made once, when a bundle is loaded.
//!
//! The sorts and trees of the standard library are quick and large: each type that is sorted with
//! them brings kilobytes of code into the filter. Here a few hundred bytes do.

use alloc::vec::Vec;

/// Sorts in place, not keeping the order of equals; a heap sort, so never worse than n log n.
pub(crate) fn sort_by<T>(list: &mut [T], before: impl Fn(&T, &T) -> bool + Copy) {
    for root in (0..list.len() / 2).rev() {
        sink(list, root, before);
    }
    for end in (1..list.len()).rev() {
        list.swap(0, end);
        sink(list.get_mut(..end).unwrap_or_default(), 0, before);
    }
}

/// Moves an element down a heap until no child comes after it.
#[inline(never)]
fn sink<T>(heap: &mut [T], mut root: usize, before: impl Fn(&T, &T) -> bool) {
    loop {
        let left = root.saturating_mul(2).saturating_add(1);
        let right = left.saturating_add(1);
        let child = match (heap.get(left), heap.get(right)) {
            (Some(left), Some(other)) if before(left, other) => right,
            _ => left,
        };
        match (heap.get(root), heap.get(child)) {
            (Some(parent), Some(last)) if before(parent, last) => heap.swap(root, child),
            _ => return,
        }
        root = child;
    }
}

/// The index of the first element that an earlier one equals.
pub(crate) fn repeated<'a>(keys: impl Iterator<Item = &'a str>) -> Option<usize> {
    first_repeated(keys.zip(0..).collect())
}

#[inline(never)]
fn first_repeated(mut keys: Vec<(&str, usize)>) -> Option<usize> {
    sort_by(&mut keys, |a, b| a < b);
    let repeated = keys.array_windows().filter(|[a, b]| a.0 == b.0);
    repeated.map(|[_, (_, index)]| *index).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_of_all_repetitions_is_found() {
        assert_eq!(repeated(["b", "a", "c"].into_iter()), None);
        assert_eq!(repeated(["b", "a", "c", "a", "b", "a"].into_iter()), Some(3));
        assert_eq!(repeated([].into_iter()), None);
    }

    proptest! {
        #[test]
        fn lists_are_sorted_as_the_standard_library_sorts_them(mut list: Vec<u8>) {
            let mut expected = list.clone();
            expected.sort_unstable();
            sort_by(&mut list, |a, b| a < b);
            prop_assert_eq!(list, expected);
        }
    }
}
