//! A policy in force.

use core::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use lychgate_core::LoadError;
use lychgate_core::authn::Keys;
use lychgate_core::decision::Decision;
use lychgate_core::engine::{Cache, Engine};
use lychgate_core::request::Request;
use lychgate_core::time::UnixTime;
use lychgate_crypto::Portable;

/// A loaded bundle with its keys and its cache.
#[derive(Debug)]
pub struct Gate {
    engine: Engine,
    keys: Keys,
    cache: Mutex<Cache>,
}

/// Why a gate can't be put up.
#[derive(Debug)]
#[non_exhaustive]
pub enum GateError {
    /// The bundle does not load.
    Load(LoadError),
    /// The policy asks for keys that have to be fetched, which this example does not do.
    RemoteKeys {
        /// Where the keys are.
        uri: String,
    },
}

impl fmt::Display for GateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(error) => write!(f, "the bundle was refused: {error}"),
            Self::RemoteKeys { uri } => {
                write!(f, "the policy wants keys from {uri}; this example takes inline jwks only")
            }
        }
    }
}

impl core::error::Error for GateError {}

impl Gate {
    /// Loads a bundle, which is whole or nothing.
    ///
    /// # Errors
    /// What is wrong with the bundle and where, or that it needs keys from elsewhere.
    pub fn load(bundle: &[u8]) -> Result<Self, GateError> {
        let engine = Engine::load(bundle, &Portable).map_err(GateError::Load)?;
        if let Some(source) = engine.key_sources().first() {
            return Err(GateError::RemoteKeys { uri: source.uri.to_string() });
        }
        let keys = Keys::new(engine.key_sources(), 0);
        Ok(Self { engine, keys, cache: Mutex::new(Cache::default()) })
    }

    /// The revision of the bundle, for logs.
    #[must_use]
    pub fn revision(&self) -> &str {
        self.engine.revision()
    }

    /// What is odd about the policy although it loads.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.engine.warnings().iter().map(ToString::to_string)
    }

    /// The decision about one request.
    ///
    /// The cache holds nothing but tokens whose signature is genuine, so that a thread that
    /// panicked while it held the lock has left nothing half done.
    pub fn decide(&self, request: &Request<'_>, now: UnixTime) -> Decision {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        self.engine.decide(request, now, &self.keys, &mut cache, &Portable)
    }
}

/// The time. A clock that stands before 1970 is broken and reads as the end of time: every token has
/// then expired.
#[must_use]
pub fn now() -> UnixTime {
    let age = SystemTime::now().duration_since(UNIX_EPOCH);
    UnixTime::from_seconds(age.map_or(u64::MAX, |age| age.as_secs()))
}
