//! What a remote key set is, and the rules by which it is fetched.

use alloc::boxed::Box;

use super::Milliseconds;
use crate::jwt::jwk::KeyProfile;
use crate::time::Seconds;

/// Which remote source: its place in the policy's list of sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(usize);

impl SourceId {
    /// The source at that place.
    #[must_use]
    pub const fn new(index: usize) -> Self {
        Self(index)
    }

    /// Its place.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }
}

/// A remote key set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySource {
    /// Where it is; where its issuer's metadata are, if it is discovered.
    pub uri: Box<str>,
    /// The issuer whose metadata say where it is ([`Keys::discover`](super::Keys::discover)).
    pub discovered_by: Option<Box<str>>,
    /// The Envoy cluster through which it is fetched.
    pub cluster: Option<Box<str>>,
    /// What its keys verify.
    pub profile: KeyProfile,
    /// When it is fetched.
    pub refresh: RefreshRules,
}

impl KeySource {
    /// Whether keys from one are keys from the other: the rules of fetching may differ.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.discovered_by == other.discovered_by
            && (&self.uri, &self.cluster, self.profile)
                == (&other.uri, &other.cluster, other.profile)
    }
}

/// When a remote key set is fetched, and how long it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshRules {
    /// The time from one good fetch to the next.
    pub interval: Seconds,
    /// The shortest time between two fetches that requests cause.
    pub cooldown: Seconds,
    /// How long the last good set may serve.
    pub max_stale: Seconds,
    /// How long a fetch may take.
    pub timeout: Milliseconds,
    /// How long a request may wait for a fetch.
    pub wait: Milliseconds,
}

/// Five minutes, as Envoy in Istio; a day for an issuer that is down; Istio's timeout.
impl Default for RefreshRules {
    fn default() -> Self {
        Self {
            interval: Seconds(300),
            cooldown: Seconds(30),
            max_stale: Seconds(86_400),
            timeout: Milliseconds(5_000),
            wait: Milliseconds(200),
        }
    }
}
