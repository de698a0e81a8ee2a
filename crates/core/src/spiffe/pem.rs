//! PEM and base64, as certificates travel in them.

use alloc::vec::Vec;

use crate::limits::CERTIFICATE_PEM_BYTES;
use crate::spiffe::peer::PeerError;

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";

/// The DER in a text that is one PEM block and nothing else but line ends around it.
pub(super) fn certificate(text: &[u8]) -> Result<Vec<u8>, PeerError> {
    let (length, limit) = (text.len(), CERTIFICATE_PEM_BYTES);
    if length > limit {
        return Err(PeerError::CertificateTooLong { length, limit });
    }
    let body = text.trim_ascii();
    let body = body.strip_prefix(BEGIN).and_then(|body| body.strip_suffix(END));
    let body = body.ok_or(PeerError::Pem)?;
    let is_line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let digits: Vec<u8> = body.iter().copied().filter(|byte| !is_line_end(byte)).collect();
    decode_base64(&digits).ok_or(PeerError::Base64)
}

/// Decodes base64 with its padding (RFC 4648 §4); refuses other alphabets, missing padding, unused
/// bits that are not zero, and white space, so that no two texts are the same bytes.
pub(super) fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let (quads, rest) = text.as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    let (last, others) = match quads.split_last() {
        Some(split) => split,
        None => return Some(bytes),
    };
    for quad in others {
        bytes.extend_from_slice(&decode_quad(*quad)?);
    }
    match *last {
        [a, b, b'=', b'='] => match decode_quad([a, b, b'A', b'A'])? {
            [first, 0, 0] => bytes.push(first),
            _ => return None,
        },
        [a, b, c, b'='] => match decode_quad([a, b, c, b'A'])? {
            [first, second, 0] => bytes.extend_from_slice(&[first, second]),
            _ => return None,
        },
        quad => bytes.extend_from_slice(&decode_quad(quad)?),
    }
    Some(bytes)
}

fn decode_quad(quad: [u8; 4]) -> Option<[u8; 3]> {
    let mut bits = 0u32;
    for digit in quad {
        bits = (bits << 6) | u32::from(digit_value(digit)?);
    }
    let [_, first, second, third] = bits.to_be_bytes();
    Some([first, second, third])
}

fn digit_value(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => digit.checked_sub(b'A'),
        b'a'..=b'z' => digit.checked_sub(b'a')?.checked_add(26),
        b'0'..=b'9' => digit.checked_sub(b'0')?.checked_add(52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_rfc_4648_is_read() {
        for (text, bytes) in [
            (&b""[..], &b""[..]),
            (b"Zg==", b"f"),
            (b"Zm8=", b"fo"),
            (b"Zm9v", b"foo"),
            (b"Zm9vYg==", b"foob"),
            (b"+/+/", b"\xfb\xff\xbf"),
        ] {
            assert_eq!(decode_base64(text).as_deref(), Some(bytes));
        }
    }

    #[test]
    fn base64_has_one_spelling() {
        for text in [
            &b"Zg"[..],
            b"Zg=",
            b"Zg===",
            b"Zh==",
            b"Zm9=",
            b"Z===",
            b"====",
            b"Zg==Zg==",
            b"Zm 9v",
            b"Zm9-",
            b"Zm9_",
            b"Zm9\xff",
        ] {
            assert_eq!(decode_base64(text), None, "{text:?}");
        }
    }

    #[test]
    fn one_block_is_read_and_anything_around_it_is_refused() {
        let block = b"-----BEGIN CERTIFICATE-----\r\nZm9v\nYmFy\n-----END CERTIFICATE-----\n";
        assert_eq!(certificate(block).unwrap(), b"foobar");
        let twice = [&block[..], &block[..]].concat();
        assert_eq!(certificate(&twice), Err(PeerError::Base64));
        let before = [&b"subject: x\n"[..], &block[..]].concat();
        assert_eq!(certificate(&before), Err(PeerError::Pem));
        assert_eq!(certificate(b""), Err(PeerError::Pem));
        assert_eq!(certificate(b"-----BEGIN CERTIFICATE-----"), Err(PeerError::Pem));
    }

    #[test]
    fn a_block_may_have_the_limit_and_no_more() {
        let mut block = b"-----BEGIN CERTIFICATE-----\nZm9v\n-----END CERTIFICATE-----".to_vec();
        block.resize(CERTIFICATE_PEM_BYTES, b'\n');
        assert!(certificate(&block).is_ok());
        block.push(b'\n');
        assert_eq!(certificate(&block).unwrap_err().code(), "certificate_too_long");
    }
}
