//! Counters: one for each verdict and each reason, and a few for what happens aside of requests.

use core::cell::Cell;

use lychgate_core::decision::{Decision, Reason, Verdict};
use proxy_wasm::hostcalls;
use proxy_wasm::types::MetricType;

use crate::verify::EnvoyVerifier;

/// The ids of all counters. Envoy shows them as `wasmcustom.lychgate.<name>`.
#[derive(Debug)]
pub(crate) struct Metrics {
    reasons: Vec<(Reason, Tally)>,
    allow: Tally,
    deny: Tally,
    shadow: Tally,
    /// Bundles that were loaded.
    pub(crate) config_loaded: Counter,
    /// Bundles that were refused.
    pub(crate) config_refused: Counter,
    /// Key sets that were fetched and taken.
    pub(crate) keys_fetched: Counter,
    /// Fetches that brought no key set.
    pub(crate) keys_failed: Counter,
    /// Requests that had to wait for keys.
    pub(crate) waited: Counter,
    /// Checks signatures, and counts who did.
    pub(crate) verifier: EnvoyVerifier,
}

impl Metrics {
    /// Defines the counters; those that Envoy already has are found again.
    pub(crate) fn define() -> Self {
        let reason = |reason: Reason| (reason, Tally::define(&format!("reason.{}", reason.code())));
        Self {
            reasons: Reason::ALL.into_iter().map(reason).collect(),
            allow: Tally::define("allow"),
            deny: Tally::define("deny"),
            shadow: Tally::define("shadow_denied"),
            config_loaded: Counter::define("config.loaded"),
            config_refused: Counter::define("config.refused"),
            keys_fetched: Counter::define("keys.fetched"),
            keys_failed: Counter::define("keys.failed"),
            waited: Counter::define("keys.waited"),
            verifier: EnvoyVerifier {
                by_host: Counter::define("signature.host"),
                by_portable: Counter::define("signature.portable"),
            },
        }
    }

    /// Counts a decision, and whether the request is refused for it.
    pub(crate) fn count(&self, decision: &Decision, refuses: bool) {
        match decision.verdict() {
            Verdict::Allow => self.allow.increment(),
            Verdict::Deny if refuses => self.deny.increment(),
            Verdict::Deny => self.shadow.increment(),
        }
        let reason = decision.reason();
        if let Some((_, tally)) = self.reasons.iter().find(|(r, _)| *r == reason) {
            tally.increment();
        }
    }

    /// Tells Envoy of the decisions since the last time: reasons first, so that a verdict is never
    /// seen without its reason.
    pub(crate) fn report(&self) {
        let verdicts = [&self.allow, &self.deny, &self.shadow];
        self.reasons.iter().map(|(_, tally)| tally).chain(verdicts).for_each(Tally::report);
    }
}

/// A counter of decisions, which Envoy hears of when the timer rings: every request would pay for
/// two calls otherwise.
#[derive(Debug)]
struct Tally {
    counter: Counter,
    pending: Cell<i64>,
}

impl Tally {
    fn define(name: &str) -> Self {
        Self { counter: Counter::define(name), pending: Cell::new(0) }
    }

    fn increment(&self) {
        self.pending.set(self.pending.get().saturating_add(1));
    }

    fn report(&self) {
        match self.pending.take() {
            0 => {}
            pending => self.counter.add(pending),
        }
    }
}

/// A plugin that goes, or gives way to another configuration, takes no decision with it.
impl Drop for Tally {
    fn drop(&mut self) {
        self.report();
    }
}

/// One counter; one that Envoy would not define counts nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counter(Option<u32>);

impl Counter {
    fn define(name: &str) -> Self {
        Self(hostcalls::define_metric(MetricType::Counter, &format!("lychgate.{name}")).ok())
    }

    /// Adds one.
    pub(crate) fn increment(self) {
        self.add(1);
    }

    fn add(self, count: i64) {
        if let Some(id) = self.0 {
            let _ = hostcalls::increment_metric(id, count);
        }
    }
}
