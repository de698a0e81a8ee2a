//! HMAC with SHA-2 (RFC 2104, RFC 7518 §3.2).

use alloc::vec::Vec;

use lychgate_core::jwt::key::KeyRefusal;
use subtle::ConstantTimeEq as _;

use crate::hash::{Hash, MAX_BLOCK};

/// Shortest secret in bytes: the hash of HS256, the smallest there is.
const MIN_BYTES: usize = 32;

/// Refuses a secret that is too short for every algorithm; one that is too short for its own is
/// refused with each signature.
pub(crate) fn check_key(secret: &[u8]) -> Result<(), KeyRefusal> {
    if secret.len() < MIN_BYTES {
        return Err(KeyRefusal::Size { bits: secret.len().saturating_mul(8) });
    }
    Ok(())
}

/// Whether `tag` is the whole HMAC of `message`, compared in constant time.
pub(crate) fn verify(hash: Hash, secret: &[u8], message: &[u8], tag: &[u8]) -> bool {
    let mut key = [0; MAX_BLOCK];
    let key = key.get_mut(..hash.block_length()).unwrap_or_default();
    if secret.len() > key.len() {
        copy(&hash.digest(&[secret]), key);
    } else {
        copy(secret, key);
    }
    let padded = |pad: u8| key.iter().map(|byte| byte ^ pad).collect::<Vec<u8>>();
    let inner = hash.digest(&[&padded(0x36), message]);
    hash.digest(&[&padded(0x5c), &inner]).ct_eq(tag).into()
}

/// Overwrites the beginning of `to`.
fn copy(from: &[u8], to: &mut [u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_256_bits_at_least() {
        assert_eq!(check_key(&[7; 31]), Err(KeyRefusal::Size { bits: 248 }));
        assert_eq!(check_key(&[7; 32]), Ok(()));
    }
}
