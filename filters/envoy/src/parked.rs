//! Requests that wait for keys.

use lychgate_core::authn::SourceId;
use lychgate_core::engine::Waiting;

/// Most requests that wait at the same time in one VM; more are answered at once with the keys
/// that there are. Each holds a copy of its headers.
const PARKED: usize = 256;

/// Requests that wait, with the numbers of their contexts. Few ever do, for a moment.
#[derive(Debug, Default)]
pub(crate) struct Parked(Vec<(u32, Request)>);

/// A request that waits.
#[derive(Debug)]
pub(crate) struct Request {
    /// The decision that has begun.
    pub(crate) waiting: Waiting,
    /// The generation of the source's keys with which it began.
    pub(crate) generation: u64,
    /// Until when it waits, in milliseconds since the epoch.
    pub(crate) deadline: u64,
}

impl Parked {
    /// Whether one more may wait.
    pub(crate) fn has_room(&self) -> bool {
        self.0.len() < PARKED
    }

    /// Whether none waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lets the request of this context wait.
    pub(crate) fn park(&mut self, id: u32, request: Request) {
        self.0.push((id, request));
    }

    /// A request that went away.
    pub(crate) fn forget(&mut self, id: u32) {
        self.0.retain(|(parked, _)| *parked != id);
    }

    /// The sources that requests wait for.
    pub(crate) fn sources(&self) -> Vec<SourceId> {
        let mut sources = Vec::new();
        for source in self.0.iter().map(|(_, request)| request.waiting.source()) {
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
        sources
    }

    /// Takes out the requests that need not wait any longer.
    pub(crate) fn take_ready(
        &mut self,
        is_ready: impl Fn(&Request) -> bool,
    ) -> Vec<(u32, Waiting)> {
        let ready = self.0.extract_if(.., |(_, request)| is_ready(request));
        ready.map(|(id, request)| (id, request.waiting)).collect()
    }
}
