//! When remote key sets are fetched, and how long they serve: a state machine without a clock,
//! without a network and without randomness.
//!
//! A host asks [`Keys::due`] on its timer and [`Keys::want`] when a request waits for keys, tells
//! when a fetch begins, and hands in what came back. There is never a fallback key: a source whose
//! keys were never had, or are too old, has none.

mod cache_control;
mod discovery;
mod schedule;
mod source;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use crate::jwt::key::KeyCheck;
use crate::jwt::{KeySet, KeySetError, SkippedKey};
use crate::time::{Seconds, UnixTime};
pub use cache_control::max_age;
pub use discovery::MetadataError;
pub(crate) use discovery::metadata_uri;
use schedule::Schedule;
pub use source::{KeySource, RefreshRules, SourceId};

/// A length of time in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Milliseconds(pub u64);

/// Milliseconds since 1970-01-01T00:00:00Z, from the same clock as [`UnixTime`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// This time and a length later; stops at the largest time instead of wrapping.
    #[must_use]
    pub const fn plus(self, length: Milliseconds) -> Self {
        Self(self.0.saturating_add(length.0))
    }

    /// How much later this is than `earlier`; zero if it is not later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Milliseconds {
        Milliseconds(self.0.saturating_sub(earlier.0))
    }
}

impl From<UnixTime> for UnixMillis {
    fn from(time: UnixTime) -> Self {
        Self(time.seconds().saturating_mul(1000))
    }
}

impl From<Seconds> for Milliseconds {
    fn from(length: Seconds) -> Self {
        Self(length.0.saturating_mul(1000))
    }
}

/// What a host should do for a request that waits for the keys of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Want {
    /// Begin a fetch, then let the request wait for it.
    Fetch,
    /// Let it wait for the fetch that is under way.
    Wait,
    /// Nothing: no fetch is allowed now.
    No,
}

/// Why a fetch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchCause {
    /// It was [due](Keys::due).
    Timer,
    /// A request [wanted](Keys::want) it.
    Request,
}

/// What a source has.
#[derive(Debug, Clone, Copy)]
pub enum Availability<'a> {
    /// These keys.
    Available(&'a KeySet),
    /// It never had any.
    Never,
    /// Its last good set is older than it may be.
    TooOld,
}

/// Why a fetch brought no body. A redirect is a status: it is never followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchFailure {
    /// No answer in time.
    Timeout,
    /// No connection, or it broke, or its certificate is not trusted.
    Connection,
    /// An answer with another status than 200.
    Status(u16),
    /// More bytes than [`JWKS_BYTES`](crate::limits::JWKS_BYTES).
    TooLarge,
}

/// Why a fetch brought no keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchError {
    /// No body came.
    Failed(FetchFailure),
    /// The body is refused.
    Refused(KeySetError),
    /// The issuer's metadata are refused.
    Undiscovered(MetadataError),
}

/// What came of a fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum FetchReport {
    /// The source has the keys of this body now.
    Updated {
        /// How many are usable.
        keys: usize,
        /// The others.
        skipped: Vec<SkippedKey>,
    },
    /// The last good set, if there is one, keeps serving.
    Kept {
        /// Why.
        error: FetchError,
        /// When the next fetch is due.
        retry_at: UnixMillis,
    },
    /// There is no such source.
    NoSource,
}

/// The keys of all remote sources of a policy.
#[derive(Debug)]
pub struct Keys {
    sources: Vec<Source>,
}

#[derive(Debug)]
struct Source {
    definition: KeySource,
    held: Option<Held>,
    schedule: Schedule,
}

/// The last good set.
#[derive(Debug)]
struct Held {
    set: KeySet,
    fetched_at: UnixMillis,
}

impl Keys {
    /// No keys yet; each source is due at once. Hosts with different seeds fetch at different
    /// times.
    #[must_use]
    pub fn new(sources: &[KeySource], seed: u64) -> Self {
        let source = |(index, definition): (usize, &KeySource)| Source {
            definition: definition.clone(),
            held: None,
            schedule: Schedule::new(
                seed ^ u64::try_from(index).unwrap_or(u64::MAX).rotate_left(32),
            ),
        };
        Self { sources: sources.iter().enumerate().map(source).collect() }
    }

    /// Takes over, after a reload, what `previous` has for equal sources. Fetches that are under
    /// way belong to `previous` and are forgotten with it.
    pub fn adopt(&mut self, previous: Self) {
        for old in previous.sources {
            let same = |new: &&mut Source| new.definition.is_same(&old.definition);
            if let Some(new) = self.sources.iter_mut().find(same) {
                new.schedule = old.schedule.without_fetch();
                new.held = old.held;
            }
        }
    }

    /// What a source has.
    #[must_use]
    pub fn availability(&self, source: SourceId, now: UnixMillis) -> Availability<'_> {
        let Some(source) = self.source(source) else { return Availability::Never };
        match &source.held {
            None => Availability::Never,
            Some(held) if source.is_too_old(held, now) => Availability::TooOld,
            Some(held) => Availability::Available(&held.set),
        }
    }

    /// A source whose fetch is due: its interval is over, or its back-off is.
    #[must_use]
    pub fn due(&self, now: UnixMillis) -> Option<SourceId> {
        let is_due = |source: &Source| source.schedule.is_due(now, &source.definition.refresh);
        self.sources.iter().position(is_due).map(SourceId::new)
    }

    /// When [`due`](Self::due) is worth asking again; none without sources.
    #[must_use]
    pub fn next_due(&self) -> Option<UnixMillis> {
        self.sources.iter().map(|source| source.schedule.next_at(&source.definition.refresh)).min()
    }

    /// What to do for a request with a `kid` that the source does not have, or that needs a source
    /// without keys.
    ///
    /// With keys at hand, requests cause one fetch in each cool-down at most; without, only the
    /// back-off counts.
    pub fn want(&self, source: SourceId, now: UnixMillis) -> Want {
        let Some(source) = self.source(source) else { return Want::No };
        let has_keys = source.held.as_ref().is_some_and(|held| !source.is_too_old(held, now));
        source.schedule.want(now, &source.definition.refresh, has_keys)
    }

    /// A fetch of this source begins.
    pub fn begin_fetch(&mut self, source: SourceId, now: UnixMillis, cause: FetchCause) {
        if let Some(source) = self.source_mut(source) {
            source.schedule.begin(now, cause);
        }
    }

    /// Reads the metadata that a fetch of a source with [`KeySource::discovered_by`] brought. The
    /// fetch then goes on at the address that is the answer, within the same time, and ends with
    /// [`finish_fetch`](Self::finish_fetch).
    ///
    /// # Errors
    /// The metadata don't say where the keys are, and the fetch is over.
    pub fn discover(
        &mut self,
        source: SourceId,
        now: UnixMillis,
        metadata: &[u8],
    ) -> Result<Box<str>, FetchReport> {
        let source = self.source_mut(source).ok_or(FetchReport::NoSource)?;
        let issuer = source.definition.discovered_by.as_deref().ok_or(FetchReport::NoSource)?;
        discovery::key_set_uri(metadata, issuer).map_err(|error| {
            let retry_at = source.schedule.fail(now);
            FetchReport::Kept { error: FetchError::Undiscovered(error), retry_at }
        })
    }

    /// A fetch of this source is over.
    ///
    /// `max_age` is what the answer said in `Cache-Control`, as [`max_age`] reads it. It may bring the
    /// next fetch forward, to the cool-down at the earliest, and never put it off: how soon a
    /// withdrawn key stops to serve is for the policy to say.
    pub fn finish_fetch(
        &mut self,
        source: SourceId,
        now: UnixMillis,
        body: Result<&[u8], FetchFailure>,
        max_age: Option<Seconds>,
        check: &dyn KeyCheck,
    ) -> FetchReport {
        let Some(source) = self.source_mut(source) else { return FetchReport::NoSource };
        let profile = source.definition.profile;
        let read = |body| KeySet::parse(body, profile, check).map_err(FetchError::Refused);
        match body.map_err(FetchError::Failed).and_then(read) {
            Ok(set) => {
                source.schedule.succeed(now, max_age, &source.definition.refresh);
                source.hold(set, now)
            }
            Err(error) => {
                let retry_at = source.schedule.fail(now);
                FetchReport::Kept { error, retry_at }
            }
        }
    }

    /// Takes a body that somebody else fetched, another worker for one, at that time.
    ///
    /// Nothing happens, and the answer is none, if the source already has one as new.
    pub fn install(
        &mut self,
        source: SourceId,
        body: &[u8],
        fetched_at: UnixMillis,
        check: &dyn KeyCheck,
    ) -> Option<FetchReport> {
        let source = self.source_mut(source)?;
        if source.held.as_ref().is_some_and(|held| held.fetched_at >= fetched_at) {
            return None;
        }
        Some(match KeySet::parse(body, source.definition.profile, check) {
            Ok(set) => {
                source.schedule.succeed(fetched_at, None, &source.definition.refresh);
                source.hold(set, fetched_at)
            }
            Err(error) => FetchReport::Kept {
                error: FetchError::Refused(error),
                retry_at: source.schedule.next_at(&source.definition.refresh),
            },
        })
    }

    fn source(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(id.index())
    }

    fn source_mut(&mut self, id: SourceId) -> Option<&mut Source> {
        self.sources.get_mut(id.index())
    }
}

impl Source {
    fn hold(&mut self, set: KeySet, fetched_at: UnixMillis) -> FetchReport {
        let report =
            FetchReport::Updated { keys: set.keys().len(), skipped: set.skipped().to_vec() };
        self.held = Some(Held { set, fetched_at });
        report
    }

    /// A set may serve as long as `max_stale` after it was fetched, not longer.
    fn is_too_old(&self, held: &Held, now: UnixMillis) -> bool {
        now.since(held.fetched_at) > Milliseconds::from(self.definition.refresh.max_stale)
    }
}

impl FetchError {
    /// The stable code, for reports and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Failed(FetchFailure::Timeout) => "fetch_timeout",
            Self::Failed(FetchFailure::Connection) => "fetch_connection",
            Self::Failed(FetchFailure::Status(_)) => "fetch_status",
            Self::Failed(FetchFailure::TooLarge) => "fetch_too_large",
            Self::Refused(error) => error.code(),
            Self::Undiscovered(error) => error.code(),
        }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(FetchFailure::Timeout) => f.write_str("no answer in time"),
            Self::Failed(FetchFailure::Connection) => f.write_str("no connection"),
            Self::Failed(FetchFailure::Status(status)) => write!(f, "answer with status {status}"),
            Self::Failed(FetchFailure::TooLarge) => f.write_str("answer is too large"),
            Self::Refused(error) => error.fmt(f),
            Self::Undiscovered(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for FetchError {}

#[cfg(test)]
mod tests;
