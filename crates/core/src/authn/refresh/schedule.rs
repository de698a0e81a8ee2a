//! The times of one source: the next fetch, the one under way, the cool-down.

use super::{FetchCause, Milliseconds, RefreshRules, UnixMillis, Want};
use crate::time::Seconds;

/// The first back-off after a failure; it doubles with each further one.
const FIRST_BACK_OFF: u64 = 1_000;

/// The longest back-off.
const LONGEST_BACK_OFF: u64 = 60_000;

#[derive(Debug, Clone)]
pub(super) struct Schedule {
    /// When the timer fetches next; at once in the beginning.
    next_at: Option<UnixMillis>,
    /// When the fetch under way began.
    began_at: Option<UnixMillis>,
    /// When a request last caused a fetch.
    wanted_at: Option<UnixMillis>,
    /// Failures since the last success.
    failures: u32,
    random: u64,
}

impl Schedule {
    pub(super) const fn new(seed: u64) -> Self {
        Self { next_at: None, began_at: None, wanted_at: None, failures: 0, random: seed }
    }

    /// The same, with no fetch under way.
    pub(super) fn without_fetch(self) -> Self {
        Self { began_at: None, ..self }
    }

    /// A fetch that never ended stops to count after twice the time that it may take.
    pub(super) fn next_at(&self, rules: &RefreshRules) -> UnixMillis {
        let next = self.next_at.unwrap_or(UnixMillis(0));
        self.began_at.map_or(next, |began| next.max(began.plus(abandoned_after(rules))))
    }

    pub(super) fn is_due(&self, now: UnixMillis, rules: &RefreshRules) -> bool {
        !self.is_under_way(now, rules)
            && self.next_at.is_none_or(|next| {
                // A clock that was set back must not put the next fetch off for long.
                now >= next || next.since(now) > longest_delay(rules)
            })
    }

    pub(super) fn want(&self, now: UnixMillis, rules: &RefreshRules, has_keys: bool) -> Want {
        let in_back_off = self.failures > 0 && !self.is_due(now, rules);
        let in_cool_down = has_keys && self.is_cooling_down(now, rules);
        if self.is_under_way(now, rules) {
            Want::Wait
        } else if in_back_off || in_cool_down {
            Want::No
        } else {
            Want::Fetch
        }
    }

    pub(super) fn begin(&mut self, now: UnixMillis, cause: FetchCause) {
        self.began_at = Some(now);
        if cause == FetchCause::Request {
            self.wanted_at = Some(now);
        }
    }

    pub(super) fn succeed(
        &mut self,
        now: UnixMillis,
        max_age: Option<Seconds>,
        rules: &RefreshRules,
    ) {
        let fresh = max_age.unwrap_or(rules.interval).max(rules.cooldown).min(rules.interval);
        let fresh = Milliseconds::from(fresh).0;
        // Up to a tenth earlier, so that many hosts do not fetch at the same moment.
        let early = self.random_below(fresh.checked_div(10).unwrap_or(0));
        self.next_at = Some(now.plus(Milliseconds(fresh.saturating_sub(early))));
        self.began_at = None;
        self.failures = 0;
    }

    /// When the next try is due: 1 to 2 seconds later, then 2 to 4, up to 30 to 60.
    pub(super) fn fail(&mut self, now: UnixMillis) -> UnixMillis {
        let doubled = FIRST_BACK_OFF.checked_shl(self.failures).unwrap_or(LONGEST_BACK_OFF);
        let least = doubled.min(LONGEST_BACK_OFF.checked_div(2).unwrap_or(FIRST_BACK_OFF));
        let delay = least.saturating_add(self.random_below(least));
        // Far enough that the shift above is past the longest back-off, not as far as to wrap.
        self.failures = self.failures.saturating_add(1).min(16);
        self.began_at = None;
        let next = now.plus(Milliseconds(delay));
        self.next_at = Some(next);
        next
    }

    fn is_under_way(&self, now: UnixMillis, rules: &RefreshRules) -> bool {
        self.began_at.is_some_and(|began| is_within(now, began, abandoned_after(rules)))
    }

    fn is_cooling_down(&self, now: UnixMillis, rules: &RefreshRules) -> bool {
        self.wanted_at.is_some_and(|at| is_within(now, at, rules.cooldown.into()))
    }

    /// SplitMix64: the same seed gives the same times, and different seeds different ones.
    fn random_below(&mut self, bound: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.random;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (word ^ (word >> 31)).checked_rem(bound).unwrap_or(0)
    }
}

/// Whether `now` is less than a length of time after `start`; not if the clock was set back
/// since. Requests know the time to the second, hosts to the millisecond.
fn is_within(now: UnixMillis, start: UnixMillis, length: Milliseconds) -> bool {
    now.since(start) < length && start.since(now) < Milliseconds(1000)
}

fn abandoned_after(rules: &RefreshRules) -> Milliseconds {
    Milliseconds(rules.timeout.0.saturating_mul(2))
}

fn longest_delay(rules: &RefreshRules) -> Milliseconds {
    Milliseconds::from(rules.interval).max(Milliseconds(LONGEST_BACK_OFF))
}
