//! A set of JSON Web Keys (RFC 7517 §5) and which of its keys may verify a token.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::header::JoseHeader;
use super::jwk::{self, JwkError, Key, KeyProfile};
use super::key::KeyCheck;
use crate::json::{Document, JsonError, Object, Quoted, Value};
use crate::limits;
use crate::order;

/// The usable keys of one issuer, and why its other keys are not used.
#[derive(Debug, Clone)]
pub struct KeySet {
    keys: Vec<Arc<Key>>,
    skipped: Vec<SkippedKey>,
}

/// A key of a set that is not used. One bad key does not make the others unusable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedKey {
    /// Its place in `keys`.
    pub index: usize,
    /// Its `kid`, if that is well formed.
    pub id: Option<Box<str>>,
    /// Why it is not used.
    pub error: JwkError,
}

/// Why no key of a set is used. Whoever had a set before keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySetError {
    /// Not JSON as we accept it, or too long.
    Json(JsonError),
    /// Not an object with an array `keys`.
    NotKeySet,
    /// More than [`limits::KEYS_PER_SET`] keys.
    TooMany {
        /// How many there are.
        keys: usize,
    },
    /// An entry is not an object.
    Entry {
        /// Its place in `keys`.
        index: usize,
    },
    /// Two entries have the same `kid`, of the same type or not.
    DuplicateKeyId {
        /// The second of them.
        index: usize,
    },
    /// A symmetric key: whoever reads the set could sign with it.
    Symmetric {
        /// Its place in `keys`.
        index: usize,
    },
    /// Every key was skipped, or there is none.
    NoUsableKey {
        /// Why.
        skipped: Vec<SkippedKey>,
    },
}

/// Which keys of a set may verify a token.
#[derive(Debug)]
pub enum Candidates<'a> {
    /// These, in this order and without gaps; at least one.
    Keys([Option<&'a Arc<Key>>; limits::SIGNATURE_CHECKS]),
    /// None has the token's `kid`.
    KeyUnknown,
    /// The keys that could be meant do not accept the token's algorithm.
    AlgorithmRefused,
}

impl KeySet {
    /// Reads a set.
    ///
    /// Unknown types, unsupported curves and algorithms, keys for other uses and keys that `check`
    /// refuses are skipped and reported. Refuses the whole set where it is ambiguous (the same
    /// `kid` twice), dangerous (a symmetric key), not a set, larger than [`limits::JWKS_BYTES`] or
    /// [`limits::KEYS_PER_SET`], or without any usable key.
    ///
    /// # Errors
    /// [`KeySetError`] says why the set is refused.
    pub fn parse(
        json: &[u8],
        profile: KeyProfile,
        check: &dyn KeyCheck,
    ) -> Result<Self, KeySetError> {
        let document = Document::parse(json, &limits::JWKS_JSON).map_err(KeySetError::Json)?;
        let entries = entries(&document)?;
        check_set(&entries)?;
        let (mut keys, mut skipped) = (Vec::new(), Vec::new());
        for (index, members) in entries.into_iter().enumerate() {
            match Key::parse(members, profile, check) {
                Ok(key) => keys.push(Arc::new(key)),
                Err(error) => {
                    let id = jwk::key_id(members).ok().flatten().map(Into::into);
                    skipped.push(SkippedKey { index, id, error });
                }
            }
        }
        if keys.is_empty() {
            return Err(KeySetError::NoUsableKey { skipped });
        }
        Ok(Self { keys, skipped })
    }

    /// A set of secrets that the policy names.
    ///
    /// # Errors
    /// Two with the same `kid`, or none at all.
    pub fn of_secrets(secrets: Vec<Key>) -> Result<Self, KeySetError> {
        if let Some(index) = order::repeated(secrets.iter().map(|key| key.id().unwrap_or(""))) {
            return Err(KeySetError::DuplicateKeyId { index });
        }
        if secrets.is_empty() {
            return Err(KeySetError::NoUsableKey { skipped: Vec::new() });
        }
        Ok(Self { keys: secrets.into_iter().map(Arc::new).collect(), skipped: Vec::new() })
    }

    /// The usable keys, in the order of the set.
    #[must_use]
    pub fn keys(&self) -> &[Arc<Key>] {
        &self.keys
    }

    /// The keys that are not used.
    #[must_use]
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    /// The keys that may verify a token with this header.
    ///
    /// A `kid` is compared byte by byte, and a key without one is never tried for a token that
    /// has one. Without a `kid` in the token, the first few keys that accept its algorithm are.
    #[must_use]
    pub fn candidates(&self, header: &JoseHeader) -> Candidates<'_> {
        let accepts = |key: &&Arc<Key>| key.accepts(header.algorithm());
        let mut found = [None; limits::SIGNATURE_CHECKS];
        if let Some(id) = header.key_id() {
            match self.keys.iter().find(|key| key.id() == Some(id)) {
                None => return Candidates::KeyUnknown,
                named => found[0] = named.filter(accepts),
            }
        } else {
            found
                .iter_mut()
                .zip(self.keys.iter().filter(accepts))
                .for_each(|(place, key)| *place = Some(key));
        }
        if found[0].is_none() { Candidates::AlgorithmRefused } else { Candidates::Keys(found) }
    }
}

fn entries(document: &Document) -> Result<Vec<Object<'_>>, KeySetError> {
    let set = document.root().as_object().ok_or(KeySetError::NotKeySet)?;
    let list = set.get("keys").and_then(Value::as_array).ok_or(KeySetError::NotKeySet)?;
    let keys = list.count();
    if keys > limits::KEYS_PER_SET {
        return Err(KeySetError::TooMany { keys });
    }
    list.enumerate()
        .map(|(index, entry)| entry.as_object().ok_or(KeySetError::Entry { index }))
        .collect()
}

/// What makes a set unusable as a whole, seen over all entries, also those of unknown type.
fn check_set(entries: &[Object<'_>]) -> Result<(), KeySetError> {
    let mut ids = Vec::new();
    for (index, members) in entries.iter().enumerate() {
        let text = |name| members.get(name).and_then(Value::as_str);
        if text("kty") == Some("oct") {
            return Err(KeySetError::Symmetric { index });
        }
        if let Some(id) = text("kid") {
            if ids.contains(&id) {
                return Err(KeySetError::DuplicateKeyId { index });
            }
            ids.push(id);
        }
    }
    Ok(())
}

impl KeySetError {
    /// The stable code, for reports and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Json(_) => "key_set_json",
            Self::NotKeySet => "key_set_malformed",
            Self::TooMany { .. } => "key_set_too_large",
            Self::Entry { .. } => "key_set_entry",
            Self::DuplicateKeyId { .. } => "key_set_duplicate_kid",
            Self::Symmetric { .. } => "key_set_symmetric",
            Self::NoUsableKey { .. } => "key_set_without_usable_key",
        }
    }
}

impl fmt::Display for KeySetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "key set: {error}"),
            Self::NotKeySet => f.write_str("key set is not an object with an array keys"),
            Self::TooMany { keys } => {
                write!(f, "key set of {keys} keys, at most {} are read", limits::KEYS_PER_SET)
            }
            Self::Entry { index } => write!(f, "key {index} is not an object"),
            Self::DuplicateKeyId { index } => write!(f, "key {index} has the kid of another"),
            Self::Symmetric { index } => {
                write!(f, "key {index} is symmetric; secrets are named in settings only")
            }
            Self::NoUsableKey { skipped } => {
                f.write_str("key set without a usable key")?;
                skipped.iter().try_for_each(|key| write!(f, "; {key}"))
            }
        }
    }
}

impl core::error::Error for KeySetError {}

impl fmt::Display for SkippedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {}", self.index)?;
        if let Some(id) = &self.id {
            write!(f, " ({})", Quoted(id))?;
        }
        write!(f, ": {}", self.error)
    }
}

#[cfg(test)]
mod tests;
