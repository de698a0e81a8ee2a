//! Comparing, finding and spreading bytes, eight at a time.

/// Bytes at the end by which a text is found.
const HASHED: usize = 128;

/// Mixes the length and the last 128 bytes, where a genuine token has its signature, which is as
/// good as random. Spreads over places; equality is decided by [`is_same`].
#[inline]
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let end = bytes.last_chunk::<HASHED>().map_or(bytes, <[u8; HASHED]>::as_slice);
    let (words, rest) = end.as_chunks::<8>();
    let hash = words.iter().fold(length, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let hash = mix(hash, u64::from_le_bytes(padded(rest)));
    hash ^ (hash >> 32)
}

/// Whether both are equal: WebAssembly's own comparison looks at single bytes.
#[inline]
pub(crate) fn is_same(bytes: &[u8], other: &[u8]) -> bool {
    are_alike(bytes, other, u64::from_le_bytes)
}

/// Whether both are equal but for the case of ASCII letters.
#[inline]
pub(crate) fn is_same_but_for_case(bytes: &[u8], other: &[u8]) -> bool {
    are_alike(bytes, other, lower)
}

/// Whether both are as long, and each eight bytes the same to `read`.
#[inline(always)]
fn are_alike(bytes: &[u8], other: &[u8], read: impl Fn([u8; 8]) -> u64) -> bool {
    if bytes.len() != other.len() {
        return false;
    }
    let ((words, rest), (others, behind)) = (bytes.as_chunks(), other.as_chunks());
    // The last eight bytes overlap what else is looked at: one word more instead of single bytes.
    let is_end_alike = match (bytes.last_chunk(), other.last_chunk()) {
        (Some(end), Some(other_end)) => read(*end) == read(*other_end),
        (None, _) | (_, None) => read(padded(rest)) == read(padded(behind)),
    };
    let differing = |all: u64, (word, other): (&_, &_)| all | (read(*word) ^ read(*other));
    is_end_alike && words.iter().zip(others).fold(0, differing) == 0
}

/// Fewer than eight bytes, and zeros.
#[inline(always)]
fn padded(rest: &[u8]) -> [u8; 8] {
    let mut word = [0; 8];
    for (to, from) in word.iter_mut().zip(rest) {
        *to = *from;
    }
    word
}

/// With its ASCII capitals in lower case: they differ in one bit, two below the highest.
#[inline(always)]
const fn lower(word: [u8; 8]) -> u64 {
    let word = u64::from_le_bytes(word);
    let ascii = word & each(0x7F);
    let from_a = ascii.wrapping_add(each(0x80 - b'A'));
    let past_z = ascii.wrapping_add(each(0x7F - b'Z'));
    word | (from_a & !past_z & !word & each(0x80)) >> 2
}

/// Where a byte stands first.
pub(crate) fn find(bytes: &[u8], byte: u8) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut start: usize = 0;
    for word in words {
        let found = below(u64::from_le_bytes(*word) ^ each(byte), 1);
        if found != 0 {
            return Some(start.saturating_add(first(found)));
        }
        start = start.saturating_add(8);
    }
    let place = rest.iter().position(|other| *other == byte)?;
    Some(start.saturating_add(place))
}

/// Not zero if some byte of the word is less than `bound`, which is at most 0x80.
///
/// Subtracting sets the high bit of such a byte; one that had it before is masked out. A borrow
/// comes only out of a byte that is less itself, so the lowest bit is that of the first one.
#[inline(always)]
pub(crate) const fn below(word: u64, bound: u8) -> u64 {
    word.wrapping_sub(each(bound)) & !word & each(0x80)
}

/// The place of the first byte that [`below`] has found.
#[inline(always)]
pub(crate) fn first(found: u64) -> usize {
    usize::try_from(found.trailing_zeros() >> 3).unwrap_or(0)
}

/// This byte, eight times.
#[inline(always)]
pub(crate) const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Whether an ASCII character stands in a text.
pub(crate) fn holds(text: &str, byte: u8) -> bool {
    find(text.as_bytes(), byte).is_some()
}

/// Where a text stands first in another. Meant for short ones, which need no tables: the standard
/// library's search is as large as all that policies match with.
pub(crate) fn place_of(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() { Some(0) } else { text.windows(part.len()).position(|at| at == part) }
}

/// One round: an odd multiplier (2^64 divided by the golden ratio) carries bits up, the rotation
/// brings them back down.
#[inline]
pub(crate) const fn mix(hash: u64, word: u64) -> u64 {
    (hash ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_case_of_letters_makes_no_difference() {
        for byte in 0..=u8::MAX {
            for other in 0..=u8::MAX {
                let expected = byte.eq_ignore_ascii_case(&other);
                for (length, place) in [(1, 0), (8, 0), (8, 7), (11, 1), (11, 10)] {
                    let (mut bytes, mut others) = ([b'A'; 11], [b'a'; 11]);
                    (bytes[place], others[place]) = (byte, other);
                    let is_same = is_same_but_for_case(&bytes[..length], &others[..length]);
                    assert_eq!(is_same, expected, "{byte:#x} {other:#x} at {place} of {length}");
                }
            }
        }
        assert!(!is_same_but_for_case(b"a", b"aa"));
    }

    proptest! {
        #[test]
        fn a_byte_is_found_where_looking_at_single_bytes_finds_it(bytes: Vec<u8>, byte in 0..4_u8) {
            let bytes: Vec<u8> = bytes.iter().map(|byte| byte & 0x83).collect();
            prop_assert_eq!(find(&bytes, byte), bytes.iter().position(|other| *other == byte));
        }
    }

    #[test]
    fn a_difference_in_any_byte_or_in_length_is_seen() {
        let bytes: Vec<u8> = (0..40).collect();
        for length in 0..40 {
            let bytes = &bytes[..length];
            assert!(is_same(bytes, &Vec::from(bytes)));
            for place in 0..length {
                let mut other = bytes.to_vec();
                other[place] ^= 1;
                assert!(!is_same(bytes, &other), "{length} {place}");
                assert_ne!(hash(bytes), hash(&other), "{length} {place}");
            }
            let longer = [bytes, &[0]].concat();
            assert!(!is_same(bytes, &longer) && !is_same(&longer, bytes));
            assert_ne!(hash(bytes), hash(&longer));
        }
    }
}
