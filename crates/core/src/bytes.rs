//! Comparing and spreading bytes, eight at a time.

/// Bytes at the end by which a text is found.
const HASHED: usize = 128;

/// Mixes the length and the last 128 bytes, where a genuine token has its signature, which is as
/// good as random. Spreads over places; equality is decided by [`is_same`].
#[inline]
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let end = bytes.last_chunk::<HASHED>().map_or(bytes, <[u8; HASHED]>::as_slice);
    let (words, rest) = end.as_chunks::<8>();
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    let words = words.iter().chain(core::iter::once(&last));
    let hash = words.fold(length, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    hash ^ (hash >> 32)
}

/// Whether both are equal: WebAssembly's own comparison looks at single bytes.
#[inline]
pub(crate) fn is_same(bytes: &[u8], other: &[u8]) -> bool {
    let ((words, rest), (others, behind)) = (bytes.as_chunks::<8>(), other.as_chunks::<8>());
    let differing = |all: u64, (word, other): (&[u8; 8], &[u8; 8])| {
        all | (u64::from_ne_bytes(*word) ^ u64::from_ne_bytes(*other))
    };
    bytes.len() == other.len() && words.iter().zip(others).fold(0, differing) == 0 && rest == behind
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
