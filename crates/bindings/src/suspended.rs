//! Decisions that wait, by ticket.

/// The decisions. A ticket is good once.
#[derive(Debug)]
pub(crate) struct Suspended<T> {
    places: Vec<Option<T>>,
}

impl<T> Default for Suspended<T> {
    fn default() -> Self {
        Self { places: Vec::new() }
    }
}

impl<T> Suspended<T> {
    pub(crate) fn hold(&mut self, waiting: T) -> usize {
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

    pub(crate) fn waiting(&self, ticket: usize) -> Option<&T> {
        self.places.get(ticket)?.as_ref()
    }

    pub(crate) fn take(&mut self, ticket: usize) -> Option<T> {
        self.places.get_mut(ticket)?.take()
    }
}
