//! HMAC with SHA-2 (RFC 2104, RFC 7518 §3.2).

use lychgate_core::jwt::key::KeyRefusal;
use subtle::ConstantTimeEq as _;

use crate::hash::{Hash, MAX_BLOCK, fill};

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
    if secret.len() > hash.block_length() {
        fill(&mut key, &hash.digest(&[secret]));
    } else {
        fill(&mut key, secret);
    }
    let keyed = |pad, rest: &[u8]| {
        let key = key.map(|byte| byte ^ pad);
        hash.digest(&[key.get(..hash.block_length()).unwrap_or_default(), rest])
    };
    keyed(0x5c, &keyed(0x36, message)).ct_eq(tag).into()
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
