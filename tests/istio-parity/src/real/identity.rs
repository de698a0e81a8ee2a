//! Certificates for peers, each made once.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use lychgate_tests_envoy::{Authority, Scratch, Transport};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::case::PeerNames;

/// The one name in the server's certificate.
const SERVER: &str = "localhost";

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
        let server = authority.issue(&[], &[SERVER]).files(&scratch, "server");
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
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let verifier = AnyName(verifier.build().expect("an authority"));
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring offers them")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
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

/// Takes the server by its own name, whatever name the handshake asks for: that is part of a case.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let own = ServerName::try_from(SERVER).expect("a name");
        self.0.verify_server_cert(certificate, chain, &own, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
