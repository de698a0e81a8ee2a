//! Remote key sets: who fetches them, and how all workers come to have them.
//!
//! Every VM runs its own timer and its own [`Keys`]. What they share stands in Envoy's shared data,
//! one body and one [`Lease`] for each key set: only the VM that holds the lease fetches, and the
//! others take the body from there. Shared data outlives a VM, so a reload begins with the last good
//! body and without a fetch.

mod lease;
mod remote;

use std::collections::HashMap;

use lychgate_core::authn::{
    Availability, FetchCause, FetchFailure, FetchReport, KeySource, Keys, SourceId, UnixMillis,
    Want,
};
use lychgate_core::limits::JWKS_BYTES;
use lychgate_core::time::Seconds;
use lychgate_crypto::Portable;
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, LogLevel, MapType};

use crate::host;
use lease::{Admission, Lease};
use remote::Remote;
pub(crate) use remote::UriError;

/// Refuses key sets that can't be fetched from here.
///
/// # Errors
/// [`UriError`] names the set.
pub(crate) fn check(sources: &[KeySource]) -> Result<(), UriError> {
    sources.iter().try_for_each(|source| Remote::of(source).map(drop))
}

/// Fetches key sets and shares them.
#[derive(Debug)]
pub(crate) struct Fetcher {
    sources: Vec<Source>,
    /// Fetches of this VM that are under way.
    calls: HashMap<u32, SourceId>,
}

#[derive(Debug)]
struct Source {
    remote: Remote,
    lease: Lease,
    /// The version of the shared body that this VM has seen.
    version: Option<u32>,
    /// How many key sets this VM has had.
    generation: u64,
}

/// What became of key sets.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Refreshed {
    /// Fetches that brought keys.
    pub(crate) fetched: u32,
    /// Fetches that did not.
    pub(crate) failed: u32,
}

impl Fetcher {
    /// A fetcher for these sources, which passed [`check`].
    pub(crate) fn new(sources: &[KeySource]) -> Self {
        let source = |source| {
            let remote = Remote::of(source).unwrap_or_default();
            let lease = Lease::new(&remote.name);
            lease.prepare();
            Source { remote, lease, version: None, generation: 0 }
        };
        Self { sources: sources.iter().map(source).collect(), calls: HashMap::new() }
    }

    /// Takes over what others fetched.
    pub(crate) fn catch_up_all(&mut self, keys: &mut Keys) {
        for index in 0..self.sources.len() {
            self.take_over(keys, SourceId::new(index));
        }
    }

    /// Begins what is due or `wanted` by requests.
    pub(crate) fn begin_due(
        &mut self,
        keys: &mut Keys,
        wanted: &[SourceId],
        now: UnixMillis,
    ) -> Refreshed {
        let mut refreshed = Refreshed::default();
        for source in wanted {
            if keys.want(*source, now) == Want::Fetch {
                self.begin(keys, *source, now, FetchCause::Request, &mut refreshed);
            }
        }
        // A source whose lease others hold stays due; the next tick asks again.
        if let Some(source) = keys.due(now) {
            self.begin(keys, source, now, FetchCause::Timer, &mut refreshed);
        }
        refreshed
    }

    /// Takes over what others fetched for this source; whether that was something new.
    pub(crate) fn catch_up(&mut self, keys: &mut Keys, id: SourceId) -> bool {
        let before = self.generation(id);
        self.take_over(keys, id);
        self.generation(id) != before
    }

    /// Changes whenever the source has new keys.
    pub(crate) fn generation(&self, id: SourceId) -> u64 {
        self.sources.get(id.index()).map_or(0, |source| source.generation)
    }

    /// Whether a fetch of this source is under way, here or elsewhere, or may begin for a request.
    pub(crate) fn is_promising(&self, keys: &Keys, id: SourceId, now: UnixMillis) -> bool {
        let Some(source) = self.sources.get(id.index()) else { return false };
        match keys.want(id, now) {
            Want::Wait => true,
            Want::No => self.peek(source, keys, id, now) == Admission::Busy,
            Want::Fetch => self.peek(source, keys, id, now) != Admission::NotNow,
        }
    }

    fn peek(&self, source: &Source, keys: &Keys, id: SourceId, now: UnixMillis) -> Admission {
        source.lease.peek(now, FetchCause::Request, has_keys(keys, id, now))
    }

    /// Whether a source has no keys.
    pub(crate) fn lacks_keys(&self, keys: &Keys, now: UnixMillis) -> bool {
        (0..self.sources.len()).any(|index| !has_keys(keys, SourceId::new(index), now))
    }

    /// Takes the answer to a call of this VM: so many headers, so many bytes of body.
    pub(crate) fn finish(
        &mut self,
        keys: &mut Keys,
        call: u32,
        (headers, size): (usize, usize),
        now: UnixMillis,
    ) -> Refreshed {
        let mut refreshed = Refreshed::default();
        if let Some(id) = self.calls.remove(&call) {
            let body = read_body(headers, size);
            let max_age = if headers == 0 { None } else { max_age() };
            self.settle(keys, id, now, body.as_deref().map_err(|e| *e), max_age, &mut refreshed);
        }
        refreshed
    }

    /// Installs the shared body if it is newer than what this VM has.
    fn take_over(&mut self, keys: &mut Keys, id: SourceId) {
        let Some(source) = self.sources.get_mut(id.index()) else { return };
        let Ok((Some(shared), version)) = hostcalls::get_shared_data(&source.remote.name) else {
            return;
        };
        if version == source.version {
            return;
        }
        source.version = version;
        if let Some((time, body)) = shared.split_first_chunk::<8>() {
            let fetched_at = UnixMillis(u64::from_le_bytes(*time));
            if keys.install(id, body, fetched_at, &Portable).is_some() {
                source.generation = source.generation.wrapping_add(1);
            }
        }
    }

    fn begin(
        &mut self,
        keys: &mut Keys,
        id: SourceId,
        now: UnixMillis,
        cause: FetchCause,
        refreshed: &mut Refreshed,
    ) {
        let Some(source) = self.sources.get_mut(id.index()) else { return };
        if !source.lease.take(now, cause, has_keys(keys, id, now), &source.remote) {
            return;
        }
        keys.begin_fetch(id, now, cause);
        match source.remote.call() {
            Ok(call) => {
                self.calls.insert(call, id);
            }
            Err(_) => {
                let body = Err(FetchFailure::Connection);
                self.settle(keys, id, now, body, None, refreshed);
            }
        }
    }

    /// Hands the outcome of a fetch to [`Keys`], shares a good body, and gives the lease back.
    fn settle(
        &mut self,
        keys: &mut Keys,
        id: SourceId,
        now: UnixMillis,
        body: Result<&[u8], FetchFailure>,
        max_age: Option<Seconds>,
        refreshed: &mut Refreshed,
    ) {
        let Some(source) = self.sources.get_mut(id.index()) else { return };
        let uri = &source.remote.uri;
        match keys.finish_fetch(id, now, body, max_age, &Portable) {
            FetchReport::Updated { keys, skipped } => {
                refreshed.fetched = refreshed.fetched.saturating_add(1);
                source.generation = source.generation.wrapping_add(1);
                host::log(LogLevel::Info, &format!("keys of {uri}: {keys} usable"));
                for key in &skipped {
                    host::log(LogLevel::Warn, &format!("keys of {uri}: not used: {key}"));
                }
                let shared = [&now.0.to_le_bytes(), body.unwrap_or_default()].concat();
                let _ = hostcalls::set_shared_data(&source.remote.name, Some(&shared), None);
                source.lease.free();
            }
            FetchReport::Kept { error, retry_at } => {
                refreshed.failed = refreshed.failed.saturating_add(1);
                host::log(LogLevel::Warn, &format!("keys of {uri}: {error}"));
                source.lease.back_off(retry_at);
            }
            FetchReport::NoSource => {}
        }
    }
}

fn has_keys(keys: &Keys, id: SourceId, now: UnixMillis) -> bool {
    matches!(keys.availability(id, now), Availability::Available(_))
}

/// The body of the answer at hand. Without headers there was no answer.
fn read_body(headers: usize, size: usize) -> Result<Vec<u8>, FetchFailure> {
    if headers == 0 {
        return Err(FetchFailure::Connection);
    }
    let status = hostcalls::get_map_value_bytes(MapType::HttpCallResponseHeaders, ":status");
    let status = status.ok().flatten().unwrap_or_default();
    if status != b"200" {
        let number = core::str::from_utf8(&status).ok().and_then(|text| text.parse().ok());
        return Err(FetchFailure::Status(number.unwrap_or(0)));
    }
    if size > JWKS_BYTES {
        return Err(FetchFailure::TooLarge);
    }
    let body = hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, size);
    Ok(body.ok().flatten().unwrap_or_default())
}

/// `max-age` of the answer at hand.
fn max_age() -> Option<Seconds> {
    let name = "cache-control";
    let value = hostcalls::get_map_value_bytes(MapType::HttpCallResponseHeaders, name);
    lychgate_core::authn::max_age(&value.ok().flatten()?)
}
