//! Base64 with exactly one encoding for each value (RFC 4648 §3.5).
//!
//! White space, line breaks, characters of the other alphabet and non-zero trailing bits are
//! refused, so two different texts never decode to the same bytes. Nothing here is constant-time:
//! it reads what a caller sent, and public keys. Callers bound the length.

use alloc::string::String;
use alloc::vec::Vec;

const LETTERS_AND_DIGITS: &[u8; 62] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The value of each byte in the URL-safe alphabet; `NONE` for all others.
static URL: [i8; 256] = table(b'-', b'_');
/// The value of each byte in the standard alphabet; `NONE` for all others.
static STANDARD: [i8; 256] = table(b'+', b'/');

/// Negative, as no value is.
const NONE: i8 = -1;

/// Decodes base64url without padding (RFC 7515 §2).
///
/// Refuses padding and a length that no encoding has, besides what this module always refuses.
#[must_use]
pub fn decode_url(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    decode_url_onto(text, &mut bytes)?;
    Some(bytes)
}

/// As [`decode_url`], behind what is there. Where it refuses, something stands there all the same.
#[must_use]
pub(crate) fn decode_url_onto(text: &[u8], bytes: &mut Vec<u8>) -> Option<()> {
    decode(text, &URL, bytes)
}

/// Decodes base64 with the padding that RFC 4648 §4 demands.
#[must_use]
pub fn decode_standard(text: &[u8]) -> Option<Vec<u8>> {
    let (quads, rest) = text.as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    let padding = match quads.last() {
        Some([_, _, b'=', b'=']) => 2,
        Some([_, _, _, b'=']) => 1,
        Some(_) | None => 0,
    };
    let mut bytes = Vec::new();
    decode(text.get(..text.len().checked_sub(padding)?)?, &STANDARD, &mut bytes)?;
    Some(bytes)
}

/// Encodes as base64 with padding (RFC 4648 §4).
#[must_use]
pub fn encode_standard(bytes: &[u8]) -> String {
    let letters = LETTERS_AND_DIGITS.iter().chain(b"+/");
    let letter = |value: u32| {
        let place = usize::try_from(value & 0x3F).unwrap_or(0);
        letters.clone().nth(place).map_or('=', |letter| char::from(*letter))
    };
    let mut text = String::with_capacity(bytes.len().div_ceil(3).saturating_mul(4));
    for chunk in bytes.chunks(3) {
        let byte = |place: usize| u32::from(chunk.get(place).copied().unwrap_or(0));
        let value = byte(0) << 16 | byte(1) << 8 | byte(2);
        text.push(letter(value >> 18));
        text.push(letter(value >> 12));
        text.push(if chunk.len() > 1 { letter(value >> 6) } else { '=' });
        text.push(if chunk.len() > 2 { letter(value) } else { '=' });
    }
    text
}

fn decode(text: &[u8], table: &[i8; 256], bytes: &mut Vec<u8>) -> Option<()> {
    let value = |byte: u8| i32::from(table.get(usize::from(byte)).copied().unwrap_or(NONE));
    let (quads, tail) = text.as_chunks::<4>();
    let length = quads.len().checked_mul(3)?.checked_add(tail.len().saturating_sub(1))?;
    let start = bytes.len();
    // Something to write over: a copy is one call, and zeros are a loop.
    bytes.extend_from_slice(text.get(..length)?);
    let (triples, end) = bytes.get_mut(start..)?.as_chunks_mut::<3>();
    // The sign of `NONE` stays, wherever it is shifted to.
    let mut seen = 0;
    for (triple, [a, b, c, d]) in triples.iter_mut().zip(quads) {
        let bits = value(*a) << 18 | value(*b) << 12 | value(*c) << 6 | value(*d);
        seen |= bits;
        let [_, three @ ..] = bits.to_be_bytes();
        *triple = three;
    }
    match (tail, end) {
        ([], []) => {}
        ([a, b], [first]) => {
            let bits = value(*a) << 18 | value(*b) << 12;
            if bits & 0xFFFF != 0 {
                return None;
            }
            seen |= bits;
            [_, *first, _, _] = bits.to_be_bytes();
        }
        ([a, b, c], [first, second]) => {
            let bits = value(*a) << 18 | value(*b) << 12 | value(*c) << 6;
            if bits & 0xFF != 0 {
                return None;
            }
            seen |= bits;
            [_, *first, *second, _] = bits.to_be_bytes();
        }
        _ => return None,
    }
    (seen >= 0).then_some(())
}

#[expect(
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "runs when the program is compiled, where a mistake fails the build"
)]
const fn table(value_62: u8, value_63: u8) -> [i8; 256] {
    let mut table = [NONE; 256];
    let mut index = 0;
    while index < LETTERS_AND_DIGITS.len() {
        table[LETTERS_AND_DIGITS[index] as usize] = index as i8;
        index += 1;
    }
    table[value_62 as usize] = 62;
    table[value_63 as usize] = 63;
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_decodes_to_itself() {
        for text in ["", "f", "fo", "foo", "foob", "fooba", "foobar"] {
            let encoded = encode_standard(text.as_bytes());
            assert_eq!(decode_standard(encoded.as_bytes()).unwrap(), text.as_bytes());
        }
        assert_eq!(encode_standard(&[0xFB, 0xFF]), "+/8=");
    }

    #[test]
    fn the_examples_of_rfc_4648_decode() {
        let pairs: [(&str, &str); 7] = [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ];
        for (encoded, plain) in pairs {
            assert_eq!(decode_standard(encoded.as_bytes()).unwrap(), plain.as_bytes());
            let bare = encoded.trim_end_matches('=');
            assert_eq!(decode_url(bare.as_bytes()).unwrap(), plain.as_bytes());
        }
    }

    #[test]
    fn each_alphabet_refuses_the_letters_of_the_other() {
        assert_eq!(decode_url(b"-_-_").unwrap(), [0xFB, 0xFF, 0xBF]);
        assert_eq!(decode_standard(b"+/+/").unwrap(), [0xFB, 0xFF, 0xBF]);
        assert_eq!(decode_url(b"+/+/"), None);
        assert_eq!(decode_standard(b"-_-_"), None);
    }

    #[test]
    fn every_other_byte_is_refused_at_every_place() {
        for byte in 0..=u8::MAX {
            let known = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            for place in 0..7 {
                let mut text = *b"AAAAAAA";
                text[place] = byte;
                // The last place also has to be canonical: only multiples of four are.
                let canonical = place < 6 || URL[usize::from(byte)] & 3 == 0;
                assert_eq!(decode_url(&text).is_some(), known && canonical, "{byte} at {place}");
            }
        }
    }

    #[test]
    fn unused_bits_must_be_zero() {
        assert_eq!(decode_url(b"Zg").unwrap(), b"f");
        for text in [&b"Zh"[..], b"Zv", b"Zm9", b"Zm-"] {
            assert_eq!(decode_url(text), None);
        }
        assert_eq!(decode_standard(b"Zh=="), None);
        assert_eq!(decode_standard(b"Zm9="), None);
    }

    #[test]
    fn lengths_that_no_encoding_has_are_refused() {
        for text in [&b"A"[..], b"AAAAA"] {
            assert_eq!(decode_url(text), None);
        }
        for text in [&b"AA"[..], b"AAA", b"AA=", b"A===", b"====", b"AA==AAAA", b"AAAA====", b"="] {
            assert_eq!(decode_standard(text), None, "{text:?}");
        }
        assert_eq!(decode_url(b"Zg=="), None);
    }
}
