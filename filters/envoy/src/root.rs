//! The plugin's life aside of requests: configuration, timer, answers to fetches.

use core::cell::RefCell;
use std::rc::Rc;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{ContextType, LogLevel};

use crate::metrics::Metrics;
use crate::plugin::Plugin;
use crate::stream::Stream;
use crate::{config, host};

/// What the root context and its streams share; none before the first configuration.
pub(crate) type Shared = Rc<RefCell<Option<Plugin>>>;

/// The root context.
#[derive(Debug)]
pub(crate) struct Root {
    id: u32,
    shared: Shared,
}

impl Root {
    /// A root context that is not configured yet.
    pub(crate) fn new(id: u32) -> Self {
        Self { id, shared: Shared::default() }
    }

    /// Lets the plugin work, if there is one that is not at work already.
    fn with_plugin(&self, work: impl FnOnce(&mut Plugin)) {
        if let Ok(mut shared) = self.shared.try_borrow_mut()
            && let Some(plugin) = shared.as_mut()
        {
            work(plugin);
        }
        // Requests that were answered meanwhile were the effective context.
        let _ = hostcalls::set_effective_context(self.id);
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, call: u32, headers: usize, body: usize, _: usize) {
        self.with_plugin(|plugin| plugin.fetched(call, headers, body));
    }
}

impl RootContext for Root {
    /// Takes a bundle whole or not at all: after a refusal the policy that was in force stays.
    fn on_configure(&mut self, _: usize) -> bool {
        let metrics = Metrics::define();
        match config::load() {
            Ok(engine) => {
                metrics.config_loaded.increment();
                for warning in engine.warnings() {
                    host::log(LogLevel::Warn, &format!("bundle: {warning}"));
                }
                let Ok(mut shared) = self.shared.try_borrow_mut() else { return false };
                let previous = shared.take();
                *shared = Some(Plugin::new(engine, metrics, previous));
                true
            }
            Err(error) => {
                metrics.config_refused.increment();
                host::log(LogLevel::Error, &format!("bundle refused: {error}"));
                false
            }
        }
    }

    fn on_tick(&mut self) {
        self.with_plugin(Plugin::tick);
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(id, Rc::clone(&self.shared))))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
