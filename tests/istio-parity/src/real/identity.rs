//! Certificates for peers, each made once.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use lychgate_tests_envoy::{Authority, Scratch, Transport};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::case::PeerNames;

/// A client's certificate, and whether it names the server.
type Client = (Option<PeerNames>, bool);

/// The authority that all sides trust, and the clients that it has made.
pub struct Identities {
    authority: Authority,
    transport: Transport,
    clients: Mutex<BTreeMap<Client, Arc<ClientConfig>>>,
    _scratch: Scratch,
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identities")
    }
}

impl Default for Identities {
    fn default() -> Self {
        let (authority, scratch) = (Authority::new("parity"), Scratch::new("parity"));
        let names = ["localhost", "example.com", "api.example.com", "ex.example.com"];
        let server = authority.issue(&[], &names).files(&scratch, "server");
        let clients = scratch.write("authority.pem", authority.pem());
        let transport = Transport::Tls { server, clients, required: false };
        Self { authority, transport, clients: Mutex::default(), _scratch: scratch }
    }
}

impl Identities {
    /// The server's side of TLS.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport.clone()
    }

    /// The client's side, with a certificate of these names or none.
    ///
    /// # Panics
    /// If a certificate can't be made.
    #[must_use]
    pub fn client(&self, peer: Option<&PeerNames>, names_server: bool) -> Arc<ClientConfig> {
        let key = (peer.cloned(), names_server);
        let mut clients = self.clients.lock().expect("no thread panics");
        let client = clients.entry(key).or_insert_with(|| Arc::new(self.made(peer, names_server)));
        Arc::clone(client)
    }

    fn made(&self, peer: Option<&PeerNames>, names_server: bool) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        let pem = self.authority.pem().as_bytes();
        roots.add(CertificateDer::from_pem_slice(pem).expect("PEM")).expect("an authority");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring offers them")
            .with_root_certificates(roots);
        let mut config = match peer {
            None => builder.with_no_client_auth(),
            Some(names) => {
                let uris: Vec<&str> = names.uris.iter().map(String::as_str).collect();
                let hosts: Vec<&str> = names.hosts.iter().map(String::as_str).collect();
                let identity = self.authority.issue(&uris, &hosts);
                let chain = CertificateDer::pem_slice_iter(identity.chain.as_bytes());
                let chain = chain.collect::<Result<_, _>>().expect("PEM");
                let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("PEM");
                builder.with_client_auth_cert(chain, key).expect("a key pair")
            }
        };
        config.enable_sni = names_server;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config
    }
}
