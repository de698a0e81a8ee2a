//! HMAC with SHA-2 (RFC 2104, RFC 7518 §3.2).

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use lychgate_core::jwt::key::KeyRefusal;
use sha2::{Sha256, Sha384, Sha512};

/// Shortest secret in bytes: the hash of HS256, the smallest there is.
const MIN_BYTES: usize = 32;

/// The hash of an HMAC.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// Length in bytes, which a secret must have at least (RFC 7518 §3.2).
    pub(crate) const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

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
    match hash {
        Hash::Sha256 => is_tag_of::<Hmac<Sha256>>(secret, message, tag),
        Hash::Sha384 => is_tag_of::<Hmac<Sha384>>(secret, message, tag),
        Hash::Sha512 => is_tag_of::<Hmac<Sha512>>(secret, message, tag),
    }
}

fn is_tag_of<M: Mac + KeyInit>(secret: &[u8], message: &[u8], tag: &[u8]) -> bool {
    let Ok(mac) = <M as KeyInit>::new_from_slice(secret) else { return false };
    mac.chain_update(message).verify_slice(tag).is_ok()
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
