//! SHA-2 (FIPS 180-4) with the hash as a value: what is verified with it is compiled once, not
//! once for each hash.

use alloc::vec::Vec;
use core::ops::Deref;

use sha2::block_api::{compress256, compress512};

/// The hash of an algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// The longest block in bytes.
pub(crate) const MAX_BLOCK: usize = 128;

impl Hash {
    /// Length of a digest in bytes.
    pub(crate) const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Length of a block in bytes.
    pub(crate) const fn block_length(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha384 | Self::Sha512 => MAX_BLOCK,
        }
    }

    /// The digest of the parts, one after the other.
    pub(crate) fn digest(self, parts: &[&[u8]]) -> Digest {
        let message = self.padded(parts);
        let mut bytes = [0; 64];
        match self {
            Self::Sha256 => {
                let mut state = SHA256;
                compress256(&mut state, message.as_chunks().0);
                fill(&mut bytes, state.map(u32::to_be_bytes).as_flattened());
            }
            Self::Sha384 | Self::Sha512 => {
                let mut state = if self == Self::Sha384 { SHA384 } else { SHA512 };
                compress512(&mut state, message.as_chunks().0);
                fill(&mut bytes, state.map(u64::to_be_bytes).as_flattened());
            }
        }
        Digest { bytes, length: self.length() }
    }

    /// FIPS 180-4 §5.1: a one, zeros and the length in bits make the last block a whole one.
    fn padded(self, parts: &[&[u8]]) -> Vec<u8> {
        let block = self.block_length();
        let length = parts.iter().map(|part| part.len()).fold(0, usize::saturating_add);
        // The length takes an eighth of a block.
        let field = block / 8;
        let whole = length.saturating_add(1).saturating_add(field).next_multiple_of(block);
        let mut message = Vec::with_capacity(whole);
        for part in parts {
            message.extend_from_slice(part);
        }
        message.push(0x80);
        message.resize(whole.saturating_sub(8), 0);
        let bits = u64::try_from(length).unwrap_or(u64::MAX).saturating_mul(8);
        message.extend_from_slice(&bits.to_be_bytes());
        message
    }
}

/// Overwrites the beginning of `to`.
pub(crate) fn fill(to: &mut [u8], from: &[u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

/// The bytes of a digest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Digest {
    bytes: [u8; 64],
    length: usize,
}

impl Deref for Digest {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// FIPS 180-4 §5.3.3.
const SHA256: [u32; 8] = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/// FIPS 180-4 §5.3.4.
const SHA384: [u64; 8] = [
    0xcbbb9d5dc1059ed8,
    0x629a292a367cd507,
    0x9159015a3070dd17,
    0x152fecd8f70e5939,
    0x67332667ffc00b31,
    0x8eb44a8768581511,
    0xdb0c2e0d64f98fa7,
    0x47b5481dbefa4fa4,
];

/// FIPS 180-4 §5.3.5.
const SHA512: [u64; 8] = [
    0x6a09e667f3bcc908,
    0xbb67ae8584caa73b,
    0x3c6ef372fe94f82b,
    0xa54ff53a5f1d36f1,
    0x510e527fade682d1,
    0x9b05688c2b3e6c1f,
    0x1f83d9abfb41bd6b,
    0x5be0cd19137e2179,
];

#[cfg(test)]
mod tests {
    use alloc::vec;

    use sha2::{Digest as _, Sha256, Sha384, Sha512};

    use super::*;

    #[test]
    fn digests_are_those_of_an_independent_implementation_for_every_length_of_the_last_block() {
        for length in 0..=300 {
            let message: Vec<u8> = (0..=250).cycle().take(length).collect();
            for cut in [0, length / 3, length] {
                let (first, second) = message.split_at(cut);
                let parts = [first, second];
                assert_eq!(*Hash::Sha256.digest(&parts), *Sha256::digest(&message));
                assert_eq!(*Hash::Sha384.digest(&parts), *Sha384::digest(&message));
                assert_eq!(*Hash::Sha512.digest(&parts), *Sha512::digest(&message));
            }
        }
    }

    #[test]
    fn nothing_at_all_has_a_digest_too() {
        assert_eq!(*Hash::Sha512.digest(&[]), *Sha512::digest([]));
        let long = vec![7; 1 << 20];
        assert_eq!(*Hash::Sha256.digest(&[&long]), *Sha256::digest(&long));
    }
}
