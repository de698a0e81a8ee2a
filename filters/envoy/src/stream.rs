//! One request.

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::plugin::Next;
use crate::reply;
use crate::root::Shared;

/// The context of one request.
#[derive(Debug)]
pub(crate) struct Stream {
    id: u32,
    shared: Shared,
}

impl Stream {
    /// The context that Envoy gave this number.
    pub(crate) const fn new(id: u32, shared: Shared) -> Self {
        Self { id, shared }
    }
}

/// A request that went away waits no longer.
impl Drop for Stream {
    fn drop(&mut self) {
        if let Ok(mut shared) = self.shared.try_borrow_mut()
            && let Some(plugin) = shared.as_mut()
        {
            plugin.forget(self.id);
        }
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, lines: usize, _: bool) -> Action {
        let Ok(mut shared) = self.shared.try_borrow_mut() else {
            return reply::fault();
        };
        let Some(plugin) = shared.as_mut() else {
            return reply::fault();
        };
        match plugin.request(self.id, lines) {
            Next::GoOn => Action::Continue,
            Next::Stop => Action::Pause,
        }
    }
}
