//! Lychgate's engine for JavaScript: one class over core and crypto, without logic.
//!
//! A request crosses into WebAssembly through one buffer that is written and read in place (module
//! `input`), a result crosses back as one packed number (module `outcome`). Everything else (the
//! reply, the changes for the upstream, the audit record) is made only when it is asked for.

mod host;
mod input;
mod outcome;
mod suspended;
mod text;

use lychgate_core::authn::{FetchCause, FetchFailure, Keys, SourceId, UnixMillis, Want, max_age};
use lychgate_core::decision::Decision;
use lychgate_core::engine::{Cache, Engine, Pending, Step, Waiting};
use lychgate_core::time::UnixTime;
use lychgate_crypto::Portable;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

pub use crate::host::HostVerifier;
use crate::host::{Answer, Library};
use crate::input::Input;
use crate::suspended::Suspended;

/// As quick as the standard library's for Wasm, and 3 KB less of the module after compression, for up
/// to a tenth more memory: blocks of different growths of the memory are not joined.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// A policy in force with all that its decisions need: keys, tokens seen, the request buffer.
///
/// Every call is synchronous. What a decision leaves behind ([`reply`](Self::reply) and the like)
/// is that of the last one, so a caller takes what it needs before it begins the next.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Gate {
    engine: Engine,
    keys: Keys,
    cache: Cache,
    input: Input,
    last: Option<Decision>,
    /// The decision whose changes the host was told last, if there were any.
    told: Option<Decision>,
    /// It is the last decision, which moves there when the next one comes.
    last_is_told: bool,
    awaiting_keys: Suspended<Waiting>,
    awaiting_answers: Suspended<Pending>,
    library: Library,
}

#[wasm_bindgen]
impl Gate {
    /// Loads a bundle. `seed` spreads the fetches of hosts that start together; `verifier` is the
    /// host's crypto library, if it has one.
    ///
    /// # Errors
    /// A JSON object with `code`, `pointer` and `message`.
    #[wasm_bindgen(constructor)]
    pub fn new(bundle: &str, seed: u32, verifier: Option<HostVerifier>) -> Result<Self, String> {
        let engine = load(bundle)?;
        Ok(Self {
            keys: Keys::new(engine.key_sources(), seed.into()),
            engine,
            cache: Cache::default(),
            input: Input::default(),
            last: None,
            told: None,
            last_is_told: false,
            awaiting_keys: Suspended::default(),
            awaiting_answers: Suspended::default(),
            library: Library::of(verifier),
        })
    }

    /// Replaces the policy and keeps the keys of sources that both have. Whatever was suspended is
    /// forgotten: its requests have to begin again.
    ///
    /// # Errors
    /// As [`new`](Self::new); the policy that is in force then stays.
    pub fn update(&mut self, bundle: &str, seed: u32) -> Result<(), String> {
        let engine = load(bundle)?;
        let keys = Keys::new(engine.key_sources(), seed.into());
        let previous = core::mem::replace(&mut self.keys, keys);
        self.keys.adopt(previous);
        self.engine = engine;
        self.last = None;
        self.told = None;
        self.last_is_told = false;
        self.awaiting_keys = Suspended::default();
        self.awaiting_answers = Suspended::default();
        Ok(())
    }

    /// The revision of the policy.
    #[must_use]
    pub fn revision(&self) -> String {
        self.engine.revision().into()
    }

    /// What loads and is probably not meant, as a JSON list of `code`, `pointer` and `message`.
    #[must_use]
    pub fn warnings(&self) -> String {
        text::warnings(self.engine.warnings())
    }

    /// The remote key sets, as a JSON list of `uri`, whether it is `discovered`, `timeout` and `wait`
    /// (milliseconds).
    #[must_use]
    pub fn sources(&self) -> String {
        text::sources(self.engine.key_sources())
    }

    /// Makes room for a request of so many fields, bytes of header names, and other bytes. Pointers
    /// are stale afterwards.
    pub fn reserve(&mut self, fields: usize, names: usize, bytes: usize) {
        self.input.reserve(fields, names, bytes);
    }

    /// Where the fields stand in memory, as the module `input` lays them out.
    #[must_use]
    pub fn fields(&self) -> *const u32 {
        self.input.fields()
    }

    /// Where the header names stand in memory.
    #[must_use]
    pub fn names(&self) -> *const u8 {
        self.input.names()
    }

    /// Where the other bytes stand in memory.
    #[must_use]
    pub fn bytes(&self) -> *const u8 {
        self.input.bytes()
    }

    /// How many fields there is room for.
    #[must_use]
    pub fn field_capacity(&self) -> usize {
        self.input.field_capacity()
    }

    /// How many bytes of header names there is room for.
    #[must_use]
    pub fn name_capacity(&self) -> usize {
        self.input.name_capacity()
    }

    /// How many other bytes there is room for.
    #[must_use]
    pub fn byte_capacity(&self) -> usize {
        self.input.byte_capacity()
    }

    /// Begins to decide about the request in the buffer. The answer is packed as the module
    /// `outcome` says.
    pub fn begin(&mut self, now: f64) -> u32 {
        let Self { engine, keys, cache, input, library, .. } = self;
        let time = seconds(now);
        let step = input.with_request(|request| match library.waits() {
            true => engine.begin(request, time, keys, cache),
            false => engine.begin_with(request, time, keys, cache, &*library),
        });
        match step {
            Some(step) => self.drive(step),
            None => outcome::UNREADABLE,
        }
    }

    /// The source for which a suspended decision waits.
    #[must_use]
    pub fn awaited_source(&self, ticket: usize) -> Option<usize> {
        self.awaiting_keys.waiting(ticket).map(|waiting| waiting.source().index())
    }

    /// Goes on with a decision that waited for keys.
    pub fn resume(&mut self, ticket: usize) -> u32 {
        match self.awaiting_keys.take(ticket) {
            Some(waiting) => {
                let step = waiting.resume(&self.keys);
                self.drive(step)
            }
            None => outcome::UNREADABLE,
        }
    }

    /// Goes on with a decision whose signature the host's library now has an answer for, as
    /// [`HostVerifier`]'s `verify` would have said it.
    pub fn answer(&mut self, ticket: usize, answer: u32) -> u32 {
        match self.awaiting_answers.take(ticket) {
            Some(pending) => {
                let step = pending.finish(Answer::of(answer).at_once(), &mut self.cache);
                self.drive(step)
            }
            None => outcome::UNREADABLE,
        }
    }

    /// The correlation id with which the last request came.
    #[must_use]
    pub fn correlation_id(&self) -> Option<String> {
        self.last.as_ref()?.correlation_id().map(Into::into)
    }

    /// The answer to the last request, as JSON: `status`, `headers`, `body`, `grpcStatus`.
    #[must_use]
    pub fn reply(&self, correlation_id: &str) -> Option<String> {
        self.last.as_ref().map(|last| text::reply(&last.reply(correlation_id)))
    }

    /// The changes to the last request, as JSON: `remove`, `set`, and `target` where it changes. A
    /// later decision says if its changes are the same.
    #[must_use]
    pub fn changes(&mut self) -> Option<String> {
        let changes = self.last.as_ref()?.upstream();
        self.told = None;
        self.last_is_told = outcome::is_change(&changes);
        Some(text::changes(&changes))
    }

    /// The audit record of the last decision: one JSON object on one line.
    #[must_use]
    pub fn audit(&self, now: f64, correlation_id: &str) -> Option<String> {
        self.last.as_ref().map(|last| last.audit(seconds(now), correlation_id))
    }

    /// A source whose fetch is due.
    #[must_use]
    pub fn due(&self, now: f64) -> Option<usize> {
        self.keys.due(millis(now)).map(SourceId::index)
    }

    /// When [`due`](Self::due) is worth asking again.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::as_conversions,
        reason = "below 2^53 until 287396"
    )]
    pub fn next_due(&self) -> Option<f64> {
        self.keys.next_due().map(|at| at.0 as f64)
    }

    /// What to do for a request that waits for a source: 0 nothing, 1 wait, 2 fetch.
    #[must_use]
    pub fn want(&self, source: usize, now: f64) -> u32 {
        match self.keys.want(SourceId::new(source), millis(now)) {
            Want::No => 0,
            Want::Wait => 1,
            Want::Fetch => 2,
        }
    }

    /// A fetch begins, because it is due or because a request wants it.
    pub fn begin_fetch(&mut self, source: usize, now: f64, wanted: bool) {
        let cause = if wanted { FetchCause::Request } else { FetchCause::Timer };
        self.keys.begin_fetch(SourceId::new(source), millis(now), cause);
    }

    /// A fetch of a source that is `discovered` brought its issuer's metadata; the answer is a JSON
    /// report, of `found` with the `uri` where the fetch goes on, or of its end.
    pub fn discover(&mut self, source: usize, now: f64, metadata: &[u8]) -> String {
        match self.keys.discover(SourceId::new(source), millis(now), metadata) {
            Ok(uri) => text::found(&uri),
            Err(report) => text::report(&report),
        }
    }

    /// A fetch brought this body, with this `Cache-Control`; the answer is a JSON report.
    pub fn finish_fetch(
        &mut self,
        source: usize,
        now: f64,
        body: &[u8],
        cache_control: &str,
    ) -> String {
        let max_age = max_age(cache_control.as_bytes());
        let (source, now) = (SourceId::new(source), millis(now));
        text::report(&self.keys.finish_fetch(source, now, Ok(body), max_age, &Portable))
    }

    /// A fetch brought no body: `status` is that of the answer, or 0 for none in time, 1 for no
    /// connection, 2 for too many bytes. The answer is a JSON report.
    pub fn fail_fetch(&mut self, source: usize, now: f64, status: u16) -> String {
        let failure = match status {
            0 => FetchFailure::Timeout,
            1 => FetchFailure::Connection,
            2 => FetchFailure::TooLarge,
            status => FetchFailure::Status(status),
        };
        let (source, now) = (SourceId::new(source), millis(now));
        text::report(&self.keys.finish_fetch(source, now, Err(failure), None, &Portable))
    }
}

impl Gate {
    /// What the host learns at once.
    fn packed(&self, decision: &Decision) -> u32 {
        let is_told = self.told.as_ref().is_some_and(|told| decision.changes_as(told));
        let changes =
            is_told || decision.tells_caller() || outcome::is_change(&decision.upstream());
        outcome::done(decision, changes, is_told)
    }

    /// Goes on until the request is decided or the host has to bring something.
    fn drive(&mut self, mut step: Step) -> u32 {
        loop {
            step = match step {
                Step::Done(decision) => {
                    if core::mem::take(&mut self.last_is_told) {
                        self.told = self.last.take();
                    }
                    let packed = self.packed(&decision);
                    self.last = Some(decision);
                    return packed;
                }
                Step::NeedKeys(waiting) => {
                    return outcome::need_keys(self.awaiting_keys.hold(waiting));
                }
                Step::Verify(pending) => match self.library.ask(&pending.check()) {
                    Answer::Now(outcome) => pending.finish(outcome, &mut self.cache),
                    Answer::Later => {
                        return outcome::need_signature(self.awaiting_answers.hold(pending));
                    }
                },
            };
        }
    }
}

/// The algorithms by number, as a JSON list of names.
#[wasm_bindgen]
#[must_use]
pub fn algorithms() -> String {
    text::algorithms()
}

/// The reasons by number, as a JSON list of `reason`, `verdict` and `status`.
#[wasm_bindgen]
#[must_use]
pub fn reasons() -> String {
    text::reasons()
}

/// The memory in which the buffer stands: another one after the module was started again.
#[wasm_bindgen]
#[must_use]
pub fn linear_memory() -> JsValue {
    wasm_bindgen::memory()
}

fn load(bundle: &str) -> Result<Engine, String> {
    Engine::load_unlinted(bundle.as_bytes(), &Portable).map_err(|error| text::load_error(&error))
}

fn seconds(now: f64) -> UnixTime {
    UnixTime::from_seconds(millis(now).0.checked_div(1000).unwrap_or(0))
}

/// Saturates, and what is no number is 0: then every token is still to come.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the only conversion there is"
)]
fn millis(now: f64) -> UnixMillis {
    UnixMillis(now as u64)
}
