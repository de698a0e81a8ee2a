//! Keys and signatures in DER, for hosts whose crypto library wants them so.

use alloc::vec::Vec;

use lychgate_core::jwt::key::{Curve, KeyMaterial};

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// rsaEncryption with its NULL parameters (RFC 3279 §2.3.1).
const RSA: [u8; 13] =
    [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// id-ecPublicKey with secp256r1 (RFC 5480 §2.1.1).
const EC_P256: [u8; 19] = [
    0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
    0x03, 0x01, 0x07,
];

/// id-ecPublicKey with secp384r1.
const EC_P384: [u8; 16] = [
    0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22,
];

/// id-Ed25519 (RFC 8410 §3).
const ED25519: [u8; 5] = [0x06, 0x03, 0x2b, 0x65, 0x70];

/// The SubjectPublicKeyInfo of a public key (RFC 5280 §4.1.2.7).
///
/// `None` for a secret, which must not leave this process as a public key.
#[must_use]
pub fn spki_der(key: &KeyMaterial) -> Option<Vec<u8>> {
    let (algorithm, bits): (&[u8], Vec<u8>) = match key {
        KeyMaterial::Rsa { n, e } => (&RSA, sequence(&[&integer(n)?, &integer(e)?])?),
        KeyMaterial::Ec { curve, x, y } => {
            let algorithm: &[u8] = match curve {
                Curve::P256 => &EC_P256,
                Curve::P384 => &EC_P384,
            };
            (algorithm, [&[4], &**x, &**y].concat())
        }
        KeyMaterial::Ed25519(bytes) => (&ED25519, bytes.to_vec()),
        KeyMaterial::Secret(_) => return None,
    };
    let no_unused_bits = [0];
    let bit_string = element(BIT_STRING, &[&no_unused_bits, &bits])?;
    sequence(&[&sequence(&[algorithm])?, &bit_string])
}

/// The key of a SubjectPublicKeyInfo as [`spki_der`] writes it, and of no other encoding.
#[must_use]
pub fn key_of_spki(der: &[u8]) -> Option<KeyMaterial> {
    let (info, _) = content(SEQUENCE, der)?;
    let (algorithm, bit_string) = content(SEQUENCE, info)?;
    let (bits, _) = content(BIT_STRING, bit_string)?;
    let (_unused, bits) = bits.split_first()?;
    let key = match algorithm {
        _ if *algorithm == RSA => rsa_key(bits)?,
        _ if *algorithm == EC_P256 => ec_key(Curve::P256, bits)?,
        _ if *algorithm == EC_P384 => ec_key(Curve::P384, bits)?,
        _ if *algorithm == ED25519 => KeyMaterial::Ed25519(bits.try_into().ok()?),
        _ => return None,
    };
    // What is not looked at above is wrong if it is not what would be written.
    (spki_der(&key)? == der).then_some(key)
}

/// `RSAPublicKey` (RFC 8017 §A.1.1).
fn rsa_key(bits: &[u8]) -> Option<KeyMaterial> {
    let (numbers, _) = content(SEQUENCE, bits)?;
    let (n, e) = content(INTEGER, numbers)?;
    let (e, _) = content(INTEGER, e)?;
    let digits = |number: &[u8]| number.strip_prefix(&[0]).unwrap_or(number).into();
    Some(KeyMaterial::Rsa { n: digits(n), e: digits(e) })
}

/// An uncompressed point (SEC 1 §2.3.3).
fn ec_key(curve: Curve, bits: &[u8]) -> Option<KeyMaterial> {
    let (_form, point) = bits.split_first()?;
    let (x, y) = point.split_at_checked(point.len() / 2)?;
    Some(KeyMaterial::Ec { curve, x: x.into(), y: y.into() })
}

/// What is in an element with this tag, and what comes after it.
fn content(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match der.strip_prefix(&[tag])? {
        [length @ 0..=0x7f, rest @ ..] => (usize::from(*length), rest),
        [0x81, length, rest @ ..] => (usize::from(*length), rest),
        [0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// `Ecdsa-Sig-Value` (RFC 3279 §2.2.3) of r and s, each 32 or each 48 bytes.
///
/// `None` for any other length and for a half that is zero.
#[must_use]
pub fn ecdsa_der(signature: &[u8]) -> Option<Vec<u8>> {
    let half = match signature.len() {
        64 => 32,
        96 => 48,
        _ => return None,
    };
    let (r, s) = signature.split_at_checked(half)?;
    sequence(&[&integer(r)?, &integer(s)?])
}

/// The shortest encoding of a positive number; `None` for zero.
fn integer(bytes: &[u8]) -> Option<Vec<u8>> {
    let start = bytes.iter().position(|&byte| byte != 0)?;
    let digits = bytes.get(start..)?;
    let sign: &[u8] = if digits.first()? & 0x80 == 0 { &[] } else { &[0] };
    element(INTEGER, &[sign, digits])
}

fn sequence(parts: &[&[u8]]) -> Option<Vec<u8>> {
    element(SEQUENCE, parts)
}

/// One element; `None` if its content has 65536 bytes or more.
fn element(tag: u8, parts: &[&[u8]]) -> Option<Vec<u8>> {
    let content = parts.concat();
    let [high, low] = u16::try_from(content.len()).ok()?.to_be_bytes();
    let mut element = match (high, low) {
        (0, 0..=0x7f) => Vec::from([tag, low]),
        (0, _) => Vec::from([tag, 0x81, low]),
        (_, _) => Vec::from([tag, 0x82, high, low]),
    };
    element.extend(content);
    Some(element)
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use alloc::vec;

    use super::*;

    #[test]
    fn numbers_are_as_short_as_they_can_be_and_never_negative() {
        assert_eq!(integer(&[1]), Some(vec![2, 1, 1]));
        assert_eq!(integer(&[0, 0, 0x7f]), Some(vec![2, 1, 0x7f]));
        assert_eq!(integer(&[0, 0x80]), Some(vec![2, 2, 0, 0x80]));
        assert_eq!(integer(&[1, 0]), Some(vec![2, 2, 1, 0]));
        assert_eq!(integer(&[0, 0]), None);
        assert_eq!(integer(&[]), None);
    }

    #[test]
    fn lengths_take_one_two_or_three_bytes() {
        for (length, head) in [
            (0x7f, &[4, 0x7f][..]),
            (0x80, &[4, 0x81, 0x80]),
            (0xff, &[4, 0x81, 0xff]),
            (0x100, &[4, 0x82, 1, 0]),
            (0xffff, &[4, 0x82, 0xff, 0xff]),
        ] {
            let content = vec![9; length];
            assert_eq!(element(4, &[&content]), Some([head, &content].concat()));
        }
        assert_eq!(element(4, &[&vec![9; 0x10000]]), None);
    }

    #[test]
    fn a_signature_is_two_numbers() {
        let mut signature = [0; 64];
        signature[31] = 0x80;
        signature[32] = 1;
        let s = [&[2, 32, 1][..], &[0; 31]].concat();
        let der = [&[0x30, 38, 2, 2, 0, 0x80][..], &s].concat();
        assert_eq!(ecdsa_der(&signature), Some(der));
        assert_eq!(ecdsa_der(&[0xff; 96]).map(|der| der.len()), Some(104));
    }

    #[test]
    fn a_signature_of_another_length_or_with_a_zero_half_has_no_encoding() {
        for length in (0..=132).filter(|&length| length != 64 && length != 96) {
            assert_eq!(ecdsa_der(&vec![1; length]), None, "{length}");
        }
        let mut signature = [0; 64];
        assert_eq!(ecdsa_der(&signature), None);
        signature[0] = 1;
        assert_eq!(ecdsa_der(&signature), None);
        signature[63] = 1;
        assert!(ecdsa_der(&signature).is_some());
    }

    #[test]
    fn secrets_are_not_handed_out() {
        assert_eq!(spki_der(&KeyMaterial::Secret(Box::new([1; 32]))), None);
        assert_eq!(spki_der(&KeyMaterial::Rsa { n: Box::new([]), e: Box::new([]) }), None);
    }
}
