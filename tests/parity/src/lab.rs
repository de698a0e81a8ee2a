//! Keys and certificates.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::SystemTime;

use lychgate_core::spiffe::Peer;
use lychgate_harness::{Authority, CertificateSpec, Issued, KeyRing, Mint, vectors_directory};

/// The test keys, the authority, and the certificates that it has issued.
#[derive(Debug)]
pub struct Lab {
    /// The named keys.
    pub keys: KeyRing,
    /// The authority of all certificates.
    pub authority: Authority,
    issued: RefCell<BTreeMap<CertificateSpec, Rc<Issued>>>,
    now: Cell<i64>,
}

impl Default for Lab {
    fn default() -> Self {
        let keys = KeyRing::load(&vectors_directory().join("keys"));
        let authority = Authority::new(&keys);
        Self { keys, authority, issued: RefCell::default(), now: Cell::new(clock()) }
    }
}

impl Lab {
    /// The time of the run, for which tokens are made and at which hosts decide that can be told.
    pub fn now(&self) -> i64 {
        self.now.get()
    }

    /// Lets the time of the run catch up with the clock, which Envoy goes by.
    pub fn catch_up(&self) {
        self.now.set(clock());
    }

    /// What texts and tokens are made with at that time.
    #[must_use]
    pub fn mint(&self, now: i64) -> Mint<'_> {
        Mint { keys: &self.keys, authority: &self.authority, now }
    }

    /// The certificate that a peer presents, the same each time.
    #[must_use]
    pub fn issued(&self, peer: &lychgate_harness::Peer) -> Option<Rc<Issued>> {
        let lychgate_harness::Peer::Certificate(spec) = peer else { return None };
        let mut issued = self.issued.borrow_mut();
        let new = || Rc::new(self.authority.issue(spec, &self.keys));
        Some(Rc::clone(issued.entry(spec.clone()).or_insert_with(new)))
    }

    /// The peer as core knows it.
    #[must_use]
    pub fn peer(&self, peer: &lychgate_harness::Peer) -> Peer {
        match (peer, self.issued(peer)) {
            (lychgate_harness::Peer::Absent, _) => Peer::Absent,
            (_, Some(issued)) => Peer::from_certificate(&issued.der),
            (_, None) => Peer::unverified(),
        }
    }
}

/// Seconds since 1970.
fn clock() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock");
    i64::try_from(since.as_secs()).expect("a time")
}
