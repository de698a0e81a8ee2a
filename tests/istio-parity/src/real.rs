//! Envoy itself as the judge.
//!
//! Each set of policies has two listeners in one process: behind the first stand the filters that
//! Istio would configure, behind the second Lychgate's. Both get the same bytes, and whatever
//! passes is answered with all that an application would have received.

mod answer;
mod config;
mod connection;
mod identity;
mod judge;
mod wire;

use std::io;
use std::net::SocketAddr;

use lychgate_tests_envoy::envoy::NotStarted;
use lychgate_tests_envoy::{Envoy, Setup as EnvoySetup};

use crate::case::{RequestModel, Setup};
use crate::parity::Spelling;
pub use answer::{Echo, Native, Through};
use connection::Links;
pub use identity::Identities;
pub use judge::{Run, minimised, rehearse, replayed, run, verdict};
pub use wire::carried;

/// A set of policies as an Envoy has it.
#[derive(Debug, Clone)]
pub struct Place {
    /// The resources.
    pub setup: Setup,
    /// Whether Lychgate's listener normalises paths; Istio's own always does.
    pub spelling: Spelling,
}

/// A running Envoy with a pair of listeners for each set of policies.
#[derive(Debug)]
pub struct Proxy {
    _envoy: Envoy,
    listeners: Vec<[SocketAddr; 2]>,
}

impl Proxy {
    /// Starts Envoy with these sets of policies.
    ///
    /// # Errors
    /// Envoy refuses the configuration.
    pub fn start(identities: &Identities, places: &[Place]) -> Result<Self, NotStarted> {
        let listeners = places.iter().enumerate();
        let listeners = listeners.flat_map(|(index, place)| config::pair(index, place, identities));
        let envoy = Envoy::try_start(&EnvoySetup::new(listeners.collect()))?;
        envoy.quieten();
        let found = envoy.listeners();
        let of = |index| config::names(index).map(|name| found[&name]);
        let listeners = (0..places.len()).map(of).collect();
        Ok(Self { _envoy: envoy, listeners })
    }

    /// Sends each request to both listeners of a set of policies.
    ///
    /// # Errors
    /// The connection to Envoy breaks again and again.
    pub fn ask(
        &self,
        index: usize,
        place: &Place,
        requests: &[RequestModel],
        identities: &Identities,
    ) -> io::Result<Vec<(Native, Through)>> {
        let bytes: Vec<_> =
            requests.iter().map(|request| wire::bytes(&place.setup, request)).collect();
        let links = Links { addresses: self.listeners[index], setup: &place.setup, identities };
        let pairs = links.exchange(requests, &bytes)?.into_iter();
        Ok(pairs.map(|[native, ours]| (Native::of(native), Through::of(ours))).collect())
    }
}
