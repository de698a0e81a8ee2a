//! What comes of a step, as one number: the kind in the lowest 8 bits, its value above.
//!
//! | kind | value |
//! |---|---|
//! | 0 decided | the reason's number in 8 bits, then flags: 1 refuses, 2 shadow, 4 changes the request, 8 as told |
//! | 1 need keys | a ticket |
//! | 2 need a signature checked | a ticket |
//! | 255 | the buffer held no request, or the ticket was not valid |

use lychgate_core::decision::{Decision, Reason};
use lychgate_core::upstream::UpstreamChanges;

/// The buffer held no request, or there is no such ticket.
pub(crate) const UNREADABLE: u32 = 255;

const NEED_KEYS: u32 = 1;
const NEED_SIGNATURE: u32 = 2;

/// `changes` says whether the request changes, `told` that its changes are what the host was told last,
/// so that it need not ask again.
pub(crate) fn done(decision: &Decision, changes: bool, told: bool) -> u32 {
    let place = Reason::ALL.iter().position(|reason| *reason == decision.reason());
    let number = place.and_then(|place| u32::try_from(place).ok()).unwrap_or(u32::MAX);
    number << 8
        | u32::from(decision.refuses()) << 16
        | u32::from(decision.is_shadow()) << 17
        | u32::from(changes) << 18
        | u32::from(told) << 19
}

/// Whether there is anything to change.
pub(crate) fn is_change(changes: &UpstreamChanges) -> bool {
    !changes.remove.is_empty() || !changes.set.is_empty() || changes.target.is_some()
}

pub(crate) fn need_keys(ticket: usize) -> u32 {
    need(NEED_KEYS, ticket)
}

pub(crate) fn need_signature(ticket: usize) -> u32 {
    need(NEED_SIGNATURE, ticket)
}

fn need(what: u32, ticket: usize) -> u32 {
    match u32::try_from(ticket) {
        Ok(ticket) if ticket < 1 << 24 => what | ticket << 8,
        Ok(_) | Err(_) => UNREADABLE,
    }
}
