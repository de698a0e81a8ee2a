//! The peer: what Envoy verified of it, and nothing that a header claims.

use std::rc::Rc;

use lychgate_core::policy::Needs;
use lychgate_core::spiffe::Peer;

use crate::bounded::DigestMap;
use crate::host;

/// Leaf certificates whose identity is remembered; a busy mesh sidecar sees dozens of peers.
const CERTIFICATES: usize = 512;

/// The attribute that names a connection's leaf certificate in 64 characters, absent if there is
/// none.
const DIGEST: &[&str] = &["connection", "sha256_peer_certificate_digest"];

/// The leaf itself, in PEM.
const CERTIFICATE: &[&str] = &["connection", "peer_certificate"];

/// Whether a certificate was presented.
const MTLS: &[&str] = &["connection", "mtls"];

/// Where Istio's waypoint keeps the identity that its tunnel verified.
const WAYPOINT_PRINCIPAL: &[&str] = &["filter_state", "io.istio.peer_principal"];

/// Finds out who a connection's peer is.
///
/// One attribute is read for each request, and a certificate is parsed once for as long as it is
/// remembered: its digest names it, so the cache changes the cost and never the answer. Envoy closes
/// a connection whose certificate does not verify, unless the listener says otherwise; such
/// listeners are not supported, since Envoy has no attribute that tells.
#[derive(Debug)]
pub(crate) struct Peers {
    by_digest: DigestMap<Vec<u8>, Rc<Peer>>,
    absent: Rc<Peer>,
}

impl Default for Peers {
    fn default() -> Self {
        Self { by_digest: DigestMap::new(CERTIFICATES), absent: Rc::new(Peer::Absent) }
    }
}

impl Peers {
    /// The peer of the effective context's request.
    pub(crate) fn of_request(&mut self, needs: &Needs) -> Rc<Peer> {
        if needs.tunnelled_peer {
            return self.of_waypoint();
        }
        match host::attribute(DIGEST) {
            Some(digest) => self.by_digest.entry(digest, || Rc::new(presented())),
            None => Rc::clone(&self.absent),
        }
    }

    /// The peer of a request that a waypoint took out of its tunnel.
    fn of_waypoint(&self) -> Rc<Peer> {
        match host::attribute(WAYPOINT_PRINCIPAL) {
            Some(principal) => Rc::new(Peer::from_principal(&principal)),
            None => Rc::clone(&self.absent),
        }
    }
}

/// Who presented the connection's certificate. What Envoy can't show is not an identity.
fn presented() -> Peer {
    let presented = host::attribute(MTLS).is_some_and(|value| value == [1]);
    match host::attribute(CERTIFICATE) {
        Some(pem) if presented => Peer::from_pem(&pem),
        _ => Peer::unverified(),
    }
}
