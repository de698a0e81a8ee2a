//! The right to fetch a key set, of which there is one in a process.

use lychgate_core::authn::{FetchCause, Milliseconds, UnixMillis};
use proxy_wasm::hostcalls;

use super::remote::Remote;

/// No fetch and no back-off takes longer (the settings allow a fetch 60 s, and it is given up after
/// twice its time). A time that is farther away was written before the clock was set back.
const LONGEST: Milliseconds = Milliseconds(120_000);

/// The longest cool-down that settings allow.
const LONGEST_COOL_DOWN: Milliseconds = Milliseconds(3_600_000);

/// A lease in Envoy's shared data. It expires, so a VM that dies with it blocks nobody for long.
#[derive(Debug)]
pub(super) struct Lease {
    name: String,
    /// The version that this VM wrote when it took the lease.
    taken: Option<u32>,
}

/// Whether a fetch may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It may.
    Free,
    /// One is under way.
    Busy,
    /// Not before a back-off or cool-down is over.
    NotNow,
}

/// What the shared data says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Record {
    state: State,
    /// When the state ends.
    until: UnixMillis,
    /// When requests may cause a fetch again.
    requests_from: UnixMillis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Free,
    Fetching,
    BackingOff,
}

impl Lease {
    /// The lease for the key set of that name.
    pub(super) fn new(name: &str) -> Self {
        Self { name: format!("{name} lease"), taken: None }
    }

    /// Writes a free lease if there is none. Envoy configures the plugin in its main thread before
    /// any worker, so later writers find a version to compare with.
    pub(super) fn prepare(&self) {
        if let Ok((None, _)) = hostcalls::get_shared_data(&self.name) {
            let _ = hostcalls::set_shared_data(&self.name, Some(&Record::FREE.encode()), None);
        }
    }

    /// Whether a fetch may begin.
    pub(super) fn peek(&self, now: UnixMillis, cause: FetchCause, has_keys: bool) -> Admission {
        self.read().0.admit(now, cause, has_keys)
    }

    /// Takes the lease if it can be had.
    pub(super) fn take(
        &mut self,
        now: UnixMillis,
        cause: FetchCause,
        has_keys: bool,
        remote: &Remote,
    ) -> bool {
        let (record, version) = self.read();
        if record.admit(now, cause, has_keys) != Admission::Free {
            return false;
        }
        let limit = Milliseconds(remote.rules.timeout.0.saturating_mul(2));
        let cool_down = match cause {
            FetchCause::Request => now.plus(remote.rules.cooldown.into()),
            FetchCause::Timer => record.requests_from,
        };
        let taken =
            Record { state: State::Fetching, until: now.plus(limit), requests_from: cool_down };
        let is_mine =
            hostcalls::set_shared_data(&self.name, Some(&taken.encode()), version).is_ok();
        self.taken = if is_mine { self.read().1 } else { None };
        is_mine
    }

    /// Gives the lease back after a success.
    pub(super) fn free(&mut self) {
        self.give_back(State::Free, UnixMillis(0));
    }

    /// Gives the lease back after a failure: nobody fetches before `retry_at`.
    pub(super) fn back_off(&mut self, retry_at: UnixMillis) {
        self.give_back(State::BackingOff, retry_at);
    }

    /// Writes the state unless the lease expired and somebody else took it.
    fn give_back(&mut self, state: State, until: UnixMillis) {
        let (record, _) = self.read();
        let next = Record { state, until, ..record };
        let _ = hostcalls::set_shared_data(&self.name, Some(&next.encode()), self.taken.take());
    }

    fn read(&self) -> (Record, Option<u32>) {
        let (value, version) = hostcalls::get_shared_data(&self.name).unwrap_or_default();
        (value.and_then(|bytes| Record::decode(&bytes)).unwrap_or(Record::FREE), version)
    }
}

impl Record {
    const FREE: Self =
        Self { state: State::Free, until: UnixMillis(0), requests_from: UnixMillis(0) };

    fn admit(self, now: UnixMillis, cause: FetchCause, has_keys: bool) -> Admission {
        let holds = |until: UnixMillis, longest| now < until && until.since(now) <= longest;
        match self.state {
            State::Fetching if holds(self.until, LONGEST) => Admission::Busy,
            State::BackingOff if holds(self.until, LONGEST) => Admission::NotNow,
            State::Free | State::Fetching | State::BackingOff => {
                let is_limited = has_keys && cause == FetchCause::Request;
                if is_limited && holds(self.requests_from, LONGEST_COOL_DOWN) {
                    Admission::NotNow
                } else {
                    Admission::Free
                }
            }
        }
    }

    fn encode(self) -> Vec<u8> {
        let state = match self.state {
            State::Free => 0,
            State::Fetching => 1,
            State::BackingOff => 2,
        };
        let mut bytes = vec![state];
        bytes.extend_from_slice(&self.until.0.to_le_bytes());
        bytes.extend_from_slice(&self.requests_from.0.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (state, rest) = bytes.split_first()?;
        let (until, rest) = rest.split_first_chunk()?;
        let state = match state {
            0 => State::Free,
            1 => State::Fetching,
            2 => State::BackingOff,
            _ => return None,
        };
        Some(Self {
            state,
            until: UnixMillis(u64::from_le_bytes(*until)),
            requests_from: UnixMillis(u64::from_le_bytes(rest.try_into().ok()?)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000_000_000);

    fn record(state: State, until: u64, requests_from: u64) -> Record {
        let at = |millis| UnixMillis(NOW.0 + millis);
        Record { state, until: at(until), requests_from: at(requests_from) }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        for state in [State::Free, State::Fetching, State::BackingOff] {
            let record = record(state, 5, 7);
            assert_eq!(Record::decode(&record.encode()), Some(record));
        }
    }

    #[test]
    fn other_bytes_are_no_record() {
        let good = Record::FREE.encode();
        assert_eq!(Record::decode(&[]), None);
        assert_eq!(Record::decode(&good[..good.len() - 1]), None);
        assert_eq!(Record::decode(&[good.as_slice(), &[0]].concat()), None);
        assert_eq!(Record::decode(&[&[3], &good[1..]].concat()), None);
    }

    #[test]
    fn one_fetch_at_a_time() {
        let admit = |record: Record| record.admit(NOW, FetchCause::Timer, true);
        assert_eq!(admit(record(State::Fetching, 1, 0)), Admission::Busy);
        assert_eq!(admit(record(State::Fetching, 0, 0)), Admission::Free, "it expired");
        assert_eq!(admit(record(State::BackingOff, 1, 0)), Admission::NotNow);
        assert_eq!(admit(record(State::BackingOff, 0, 0)), Admission::Free);
    }

    #[test]
    fn requests_wait_for_the_cool_down_if_there_are_keys() {
        let record = record(State::Free, 0, 1);
        assert_eq!(record.admit(NOW, FetchCause::Request, true), Admission::NotNow);
        assert_eq!(record.admit(NOW, FetchCause::Request, false), Admission::Free);
        assert_eq!(record.admit(NOW, FetchCause::Timer, true), Admission::Free);
    }

    #[test]
    fn a_clock_that_was_set_back_blocks_nobody() {
        let admit = |record: Record| record.admit(NOW, FetchCause::Request, true);
        assert_eq!(admit(record(State::Fetching, 120_000, 0)), Admission::Busy);
        assert_eq!(admit(record(State::Fetching, 120_001, 0)), Admission::Free);
        assert_eq!(admit(record(State::Free, 0, 3_600_001)), Admission::Free);
    }
}
