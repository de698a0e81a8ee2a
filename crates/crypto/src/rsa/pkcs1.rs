//! EMSA-PKCS1-v1_5 (RFC 8017 §9.2).

use alloc::vec::Vec;

use crate::hash::Hash;

/// SEQUENCE { SEQUENCE { 2.16.840.1.101.3.4.2.`hash`, NULL }, OCTET STRING of `length` bytes }.
const fn prefix(hash: u8, length: u8) -> [u8; 19] {
    let whole = 17u8.saturating_add(length);
    [
        0x30, whole, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, hash,
        0x05, 0x00, 0x04, length,
    ]
}

/// The `DigestInfo` prefix of a hash (RFC 8017 §9.2, note 1).
const fn prefix_of(hash: Hash) -> [u8; 19] {
    match hash {
        Hash::Sha256 => prefix(1, 32),
        Hash::Sha384 => prefix(2, 48),
        Hash::Sha512 => prefix(3, 64),
    }
}

/// Whether `encoded` is the one encoding of a message with that digest in that many bytes.
///
/// Nothing in `encoded` is parsed: the encoding is made again and compared as a whole
/// (RFC 8017 §8.2.2), so no variant of the padding or of the DER can pass.
pub(super) fn is_encoding_of(encoded: &[u8], hash: Hash, digest: &[u8]) -> bool {
    let prefix = prefix_of(hash);
    let fixed = prefix.len().saturating_add(digest.len()).saturating_add(3);
    let Some(padding) = encoded.len().checked_sub(fixed).filter(|&padding| padding >= 8) else {
        return false;
    };
    let mut expected = Vec::with_capacity(encoded.len());
    expected.extend_from_slice(&[0, 1]);
    expected.resize(padding.saturating_add(2), 0xff);
    expected.push(0);
    expected.extend_from_slice(&prefix);
    expected.extend_from_slice(digest);
    expected == encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_encoding_of(encoded: &[u8], hash: Hash, message: &[u8]) -> bool {
        super::is_encoding_of(encoded, hash, &hash.digest(&[message]))
    }

    fn encode(padding: usize) -> Vec<u8> {
        let mut encoded = alloc::vec![0, 1];
        encoded.resize(2 + padding, 0xff);
        encoded.push(0);
        encoded.extend_from_slice(&[0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01]);
        encoded.extend_from_slice(&[0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20]);
        encoded.extend_from_slice(&Hash::Sha256.digest(&[b"message"]));
        encoded
    }

    #[test]
    fn an_encoding_of_another_message_or_hash_is_refused() {
        assert!(is_encoding_of(&encode(202), Hash::Sha256, b"message"));
        assert!(!is_encoding_of(&encode(202), Hash::Sha256, b"massage"));
        assert!(!is_encoding_of(&encode(202), Hash::Sha384, b"message"));
    }

    #[test]
    fn at_least_eight_bytes_of_padding_are_needed() {
        assert!(is_encoding_of(&encode(8), Hash::Sha256, b"message"));
        assert!(!is_encoding_of(&encode(7), Hash::Sha256, b"message"));
        assert!(!is_encoding_of(&[], Hash::Sha256, b"message"));
    }

    #[test]
    fn bytes_behind_the_hash_are_refused() {
        for garbage in [1, 194] {
            let mut longer = encode(202 - garbage);
            longer.resize(256, 0);
            assert!(!is_encoding_of(&longer, Hash::Sha256, b"message"), "{garbage} bytes");
        }
    }

    #[test]
    fn a_change_of_any_byte_is_refused() {
        let genuine = encode(202);
        for at in 0..genuine.len() {
            let mut changed = genuine.clone();
            changed[at] ^= 1;
            assert!(!is_encoding_of(&changed, Hash::Sha256, b"message"), "byte {at}");
        }
    }
}
