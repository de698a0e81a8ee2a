//! Counters: one for each verdict and each reason, and a few for what happens aside of requests.

use lychgate_core::decision::{Decision, Reason, Verdict};
use proxy_wasm::hostcalls;
use proxy_wasm::types::MetricType;

use crate::verify::EnvoyVerifier;

/// The ids of all counters. Envoy shows them as `wasmcustom.lychgate.<name>`.
#[derive(Debug)]
pub(crate) struct Metrics {
    allow: Counter,
    deny: Counter,
    shadow: Counter,
    reasons: Vec<(Reason, Counter)>,
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
        let reason =
            |reason: Reason| (reason, Counter::define(&format!("reason.{}", reason.code())));
        Self {
            allow: Counter::define("allow"),
            deny: Counter::define("deny"),
            shadow: Counter::define("shadow_denied"),
            reasons: Reason::ALL.into_iter().map(reason).collect(),
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

    /// Counts a decision.
    pub(crate) fn count(&self, decision: &Decision) {
        match decision.verdict() {
            Verdict::Allow => self.allow.increment(),
            Verdict::Deny if decision.refuses() => self.deny.increment(),
            Verdict::Deny => self.shadow.increment(),
        }
        let reason = decision.reason();
        if let Some((_, counter)) = self.reasons.iter().find(|(r, _)| *r == reason) {
            counter.increment();
        }
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
        if let Some(id) = self.0 {
            let _ = hostcalls::increment_metric(id, 1);
        }
    }
}
