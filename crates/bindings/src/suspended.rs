//! Decisions that wait for keys or for the host's crypto library, by ticket.

use lychgate_core::engine::{Pending, Waiting};

/// The decisions. A ticket is good once.
#[derive(Debug, Default)]
pub(crate) struct Suspended {
    places: Vec<Option<Held>>,
}

#[derive(Debug)]
enum Held {
    Waiting(Waiting),
    Pending(Pending),
}

impl Suspended {
    pub(crate) fn hold_waiting(&mut self, waiting: Waiting) -> usize {
        self.hold(Held::Waiting(waiting))
    }

    pub(crate) fn hold_pending(&mut self, pending: Pending) -> usize {
        self.hold(Held::Pending(pending))
    }

    pub(crate) fn waiting(&self, ticket: usize) -> Option<&Waiting> {
        match self.places.get(ticket) {
            Some(Some(Held::Waiting(waiting))) => Some(waiting),
            Some(Some(Held::Pending(_)) | None) | None => None,
        }
    }

    pub(crate) fn pending(&self, ticket: usize) -> Option<&Pending> {
        match self.places.get(ticket) {
            Some(Some(Held::Pending(pending))) => Some(pending),
            Some(Some(Held::Waiting(_)) | None) | None => None,
        }
    }

    /// A ticket of the other kind is spent as well: then the host is confused.
    pub(crate) fn take_waiting(&mut self, ticket: usize) -> Option<Waiting> {
        match self.take(ticket)? {
            Held::Waiting(waiting) => Some(waiting),
            Held::Pending(_) => None,
        }
    }

    /// As [`take_waiting`](Self::take_waiting).
    pub(crate) fn take_pending(&mut self, ticket: usize) -> Option<Pending> {
        match self.take(ticket)? {
            Held::Pending(pending) => Some(pending),
            Held::Waiting(_) => None,
        }
    }

    pub(crate) fn abandon(&mut self, ticket: usize) {
        drop(self.take(ticket));
    }

    fn take(&mut self, ticket: usize) -> Option<Held> {
        self.places.get_mut(ticket)?.take()
    }

    fn hold(&mut self, held: Held) -> usize {
        let free = self.places.iter().position(Option::is_none);
        match free.and_then(|ticket| Some((ticket, self.places.get_mut(ticket)?))) {
            Some((ticket, place)) => {
                *place = Some(held);
                ticket
            }
            None => {
                self.places.push(Some(held));
                self.places.len().saturating_sub(1)
            }
        }
    }
}
