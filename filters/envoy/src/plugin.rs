//! A configured plugin: the policy in force and all that deciding needs.

use core::hash::{BuildHasher as _, Hasher as _};
use core::time::Duration;
use std::collections::hash_map::RandomState;

use lychgate_core::authn::{Keys, SourceId, UnixMillis};
use lychgate_core::decision::Decision;
use lychgate_core::engine::{Cache, Engine, Step, Waiting};
use lychgate_core::jwt::key::Verifier as _;
use lychgate_core::spiffe::Peer;
use lychgate_core::time::UnixTime;
use proxy_wasm::hostcalls;
use proxy_wasm::types::LogLevel;

use crate::jwks::{Fetcher, Refreshed};
use crate::metrics::Metrics;
use crate::parked::{Parked, Request};
use crate::peer::Peers;
use crate::request::Snapshot;
use crate::{handoff, host, reply};

/// How often the timer rings when nothing is expected.
const IDLE: Duration = Duration::from_secs(1);

/// How often while some keys were never had.
const WITHOUT_KEYS: Duration = Duration::from_millis(50);

/// How often while requests wait.
const WAITING: Duration = Duration::from_millis(5);

/// The level of audit records: Envoy's default shows it, and one level holds them all.
const AUDIT: LogLevel = LogLevel::Info;

/// What to do with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Let it go on.
    GoOn,
    /// Hold it: it was answered, or it waits.
    Stop,
}

/// The policy in force and its surroundings.
#[derive(Debug)]
pub(crate) struct Plugin {
    engine: Engine,
    keys: Keys,
    cache: Cache,
    peers: Peers,
    fetcher: Fetcher,
    parked: Parked,
    metrics: Metrics,
    /// Whether audit records reach the log.
    audits: bool,
    /// How often the timer rings.
    period: Duration,
}

impl Plugin {
    /// A plugin that begins with this policy, and with the keys of the one before it.
    pub(crate) fn new(engine: Engine, metrics: Metrics, previous: Option<Self>) -> Self {
        let mut keys = Keys::new(engine.key_sources(), random());
        let (mut peers, mut parked) = (Peers::default(), Parked::default());
        if let Some(previous) = previous {
            keys.adopt(previous.keys);
            (peers, parked) = (previous.peers, previous.parked);
        }
        let mut plugin = Self {
            fetcher: Fetcher::new(engine.key_sources()),
            engine,
            keys,
            cache: Cache::default(),
            peers,
            parked,
            metrics,
            audits: host::logs(AUDIT),
            period: Duration::ZERO,
        };
        plugin.tune();
        plugin
    }

    /// Decides about the request of the effective context, which has so many header lines.
    pub(crate) fn request(&mut self, id: u32, lines: usize) -> Next {
        let now = host::now_milliseconds();
        let snapshot = Snapshot::read(lines, self.engine.needs());
        let peer = self.peers.of_request(self.engine.needs());
        let mut outcome = self.begin(&snapshot, &peer, now);
        if let Err(waiting) = &outcome
            && self.fetcher.catch_up(&mut self.keys, waiting.source())
        {
            // Another worker already had newer keys. With these, a fetch may be wanted still.
            outcome = self.begin(&snapshot, &peer, now);
        }
        match outcome {
            // Forged headers that can't be seen can't be removed: so not even shadow mode lets it pass.
            Ok(decision) if snapshot.overflows() => self.carry_out(&decision, true, now),
            Ok(decision) => self.conclude(&decision, now),
            Err(waiting) => self.wait(id, *waiting, now),
        }
    }

    fn begin(
        &mut self,
        snapshot: &Snapshot,
        peer: &Peer,
        now: u64,
    ) -> Result<Decision, Box<Waiting>> {
        let step = snapshot.view(peer, |request| {
            let (keys, verifier) = (&self.keys, &self.metrics.verifier);
            self.engine.begin_with(request, seconds(now), keys, &mut self.cache, verifier)
        });
        self.drive(step)
    }

    /// A request went away.
    pub(crate) fn forget(&mut self, id: u32) {
        if !self.parked.is_empty() {
            self.parked.forget(id);
        }
    }

    /// What the timer is for: counters, keys that are due, keys that others fetched, requests that wait.
    pub(crate) fn tick(&mut self) {
        let now = host::now_milliseconds();
        self.audits = host::logs(AUDIT);
        self.metrics.report();
        self.fetcher.catch_up_all(&mut self.keys);
        // Only what still waits after that wants a fetch.
        self.wake(now);
        let wanted = self.parked.sources();
        let refreshed = self.fetcher.begin_due(&mut self.keys, &wanted, UnixMillis(now));
        self.count(&refreshed);
        if refreshed.failed > 0 {
            self.wake(now);
        }
        self.tune();
    }

    /// The answer to a fetch came, or none.
    pub(crate) fn fetched(&mut self, call: u32, headers: usize, body: usize) {
        let now = host::now_milliseconds();
        let refreshed = self.fetcher.finish(&mut self.keys, call, (headers, body), UnixMillis(now));
        self.count(&refreshed);
        self.wake(now);
        self.tune();
    }

    /// Checks signatures until there is a decision, or keys are needed.
    fn drive(&mut self, mut step: Step) -> Result<Decision, Box<Waiting>> {
        loop {
            step = match step {
                Step::Done(decision) => return Ok(decision),
                Step::NeedKeys(waiting) => return Err(Box::new(waiting)),
                Step::Verify(pending) => {
                    let outcome = self.metrics.verifier.verify(&pending.check());
                    pending.finish(outcome, &mut self.cache)
                }
            };
        }
    }

    /// Lets a request wait if a fetch is under way or may begin; else decides with what there is.
    fn wait(&mut self, id: u32, waiting: Waiting, now: u64) -> Next {
        let source = waiting.source();
        let patience = self.patience(source);
        let millis = UnixMillis(now);
        let may_help = self.fetcher.is_promising(&self.keys, source, millis);
        if patience == 0 || !self.parked.has_room() || !may_help {
            return self.resume(waiting, now);
        }
        self.metrics.waited.increment();
        let generation = self.fetcher.generation(source);
        let deadline = now.saturating_add(patience);
        self.parked.park(id, Request { waiting, generation, deadline });
        self.tune();
        Next::Stop
    }

    /// Goes on with the keys that there are now.
    fn resume(&mut self, waiting: Waiting, now: u64) -> Next {
        let step = waiting.resume(&self.keys);
        match self.drive(step) {
            Ok(decision) => self.conclude(&decision, now),
            // Core asks for keys once. Should it ask again, the answer is that there are none.
            Err(_) => {
                let _ = reply::fault();
                Next::Stop
            }
        }
    }

    fn conclude(&self, decision: &Decision, now: u64) -> Next {
        self.carry_out(decision, decision.refuses(), now)
    }

    /// Counts, records and carries out a decision.
    fn carry_out(&self, decision: &Decision, refuses: bool, now: u64) -> Next {
        self.metrics.count(decision, refuses);
        if self.audits || refuses {
            let made;
            let correlation_id = match decision.correlation_id() {
                Some(id) => id,
                None => {
                    made = format!("{:016x}{:016x}", random(), random());
                    &made
                }
            };
            if self.audits {
                host::log(AUDIT, &decision.audit(seconds(now), correlation_id));
            }
            if refuses {
                reply::send(&decision.reply(correlation_id));
            }
        }
        handoff::publish(decision);
        if refuses {
            return Next::Stop;
        }
        handoff::change_request(decision);
        Next::GoOn
    }

    /// Answers the requests that need not wait any longer. Each becomes the effective context.
    fn wake(&mut self, now: u64) {
        let (fetcher, keys) = (&self.fetcher, &self.keys);
        let millis = UnixMillis(now);
        let ready = self.parked.take_ready(|request| {
            let source = request.waiting.source();
            now >= request.deadline
                || fetcher.generation(source) != request.generation
                || !fetcher.is_promising(keys, source, millis)
        });
        for (id, waiting) in ready {
            if hostcalls::set_effective_context(id).is_err() {
                continue;
            }
            if self.resume(waiting, now) == Next::GoOn {
                let _ = hostcalls::resume_http_request();
            }
        }
    }

    fn patience(&self, source: SourceId) -> u64 {
        let sources = self.engine.key_sources();
        sources.get(source.index()).map_or(0, |source| source.refresh.wait.0)
    }

    fn count(&self, refreshed: &Refreshed) {
        (0..refreshed.fetched).for_each(|_| self.metrics.keys_fetched.increment());
        (0..refreshed.failed).for_each(|_| self.metrics.keys_failed.increment());
    }

    /// Sets the timer to what is expected.
    fn tune(&mut self) {
        let period = if !self.parked.is_empty() {
            WAITING
        } else if self.fetcher.lacks_keys(&self.keys, UnixMillis(host::now_milliseconds())) {
            WITHOUT_KEYS
        } else {
            IDLE
        };
        if period != self.period {
            self.period = period;
            host::tick_every(period);
        }
    }
}

const fn seconds(milliseconds: u64) -> UnixTime {
    UnixTime::from_seconds(milliseconds / 1000)
}

/// A number that nobody can foresee; the platform seeds each [`RandomState`].
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
