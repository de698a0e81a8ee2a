//! Decisions that wait for keys, by ticket.

use lychgate_core::engine::Waiting;

/// The decisions. A ticket is good once.
#[derive(Debug, Default)]
pub(crate) struct Suspended {
    places: Vec<Option<Waiting>>,
}

impl Suspended {
    pub(crate) fn hold(&mut self, waiting: Waiting) -> usize {
        let free = self.places.iter().position(Option::is_none);
        match free.and_then(|ticket| Some((ticket, self.places.get_mut(ticket)?))) {
            Some((ticket, place)) => {
                *place = Some(waiting);
                ticket
            }
            None => {
                self.places.push(Some(waiting));
                self.places.len().saturating_sub(1)
            }
        }
    }

    pub(crate) fn waiting(&self, ticket: usize) -> Option<&Waiting> {
        self.places.get(ticket)?.as_ref()
    }

    pub(crate) fn take(&mut self, ticket: usize) -> Option<Waiting> {
        self.places.get_mut(ticket)?.take()
    }
}
