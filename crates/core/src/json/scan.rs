//! Where the plain part of a string ends.

use crate::bytes::{below, each, first};

/// How many bytes at the start stand in a JSON string as themselves: up to a control character, a
/// quotation mark or a backslash ([RFC 8259 §7](https://www.rfc-editor.org/rfc/rfc8259#section-7)).
///
/// Looks at eight bytes at a time: records and tokens are mostly plain.
#[inline(always)]
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut length: usize = 0;
    for word in words {
        let ends = ends(*word);
        if ends != 0 {
            return length.saturating_add(first(ends));
        }
        length = length.saturating_add(8);
    }
    // The last eight bytes overlap what was looked at: one word more instead of single bytes.
    if bytes.last_chunk().is_some_and(|word| ends(*word) == 0) {
        return bytes.len();
    }
    length.saturating_add(rest.iter().take_while(|byte| is_plain(**byte)).count())
}

/// Whether a byte stands for itself.
pub(super) const fn is_plain(byte: u8) -> bool {
    byte >= b' ' && byte != b'"' && byte != b'\\'
}

/// Not zero if some byte of the word does not stand for itself; the lowest bit is in the first one.
#[inline(always)]
const fn ends(word: [u8; 8]) -> u64 {
    let word = u64::from_le_bytes(word);
    let quotes = word ^ each(b'"');
    let backslashes = word ^ each(b'\\');
    below(word, b' ') | below(quotes, 1) | below(backslashes, 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[test]
    fn each_byte_ends_the_plain_part_or_not_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for place in 0..20 {
                let mut bytes = [b'a'; 20];
                bytes[place] = byte;
                let expected = if is_plain(byte) { 20 } else { place };
                assert_eq!(plain_length(&bytes), expected, "{byte:#x} at {place}");
            }
        }
    }

    proptest! {
        #[test]
        fn it_is_what_looking_at_single_bytes_gives(bytes: Vec<u8>) {
            let expected = bytes.iter().take_while(|byte| is_plain(**byte)).count();
            prop_assert_eq!(plain_length(&bytes), expected);
        }
    }
}
