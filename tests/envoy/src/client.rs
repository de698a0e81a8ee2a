//! An HTTP/1.1 client that sends any bytes.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

use crate::pki::Identity;

/// Who to talk to, and as whom.
#[derive(Debug, Clone)]
pub struct Client {
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
    server_name: String,
    preface: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub struct Response {
    /// The status; 0 if there was no answer.
    pub status: u16,
    /// Header lines, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Client {
    /// A client without TLS.
    #[must_use]
    pub fn plain(address: SocketAddr) -> Self {
        Self { address, tls: None, server_name: "localhost".into(), preface: Vec::new() }
    }

    /// A TLS client that trusts `authority` (PEM) and shows `identity` if it has one.
    #[must_use]
    pub fn tls(address: SocketAddr, authority: &str, identity: Option<&Identity>) -> Self {
        Self::plain(address).with_tls(authority, identity)
    }

    /// The same client with TLS, see [`Client::tls`].
    #[must_use]
    pub fn with_tls(self, authority: &str, identity: Option<&Identity>) -> Self {
        Self { tls: Some(Arc::new(tls_config(authority, identity))), ..self }
    }

    /// The same client, asking for another server name in the TLS handshake.
    #[must_use]
    pub fn server_name(self, name: &str) -> Self {
        Self { server_name: name.to_owned(), ..self }
    }

    /// The same client, sending these bytes before everything else, also before the TLS handshake.
    #[must_use]
    pub fn preface(self, bytes: &[u8]) -> Self {
        Self { preface: bytes.to_vec(), ..self }
    }

    /// A GET without more headers than it needs.
    #[must_use]
    pub fn get(&self, path: &str) -> Response {
        self.request("GET", path, &[])
    }

    /// A request without a body.
    #[must_use]
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut bytes = format!("{method} {path} HTTP/1.1\r\nHost: test.example\r\n").into_bytes();
        for (name, value) in headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(b"Connection: close\r\n\r\n");
        self.raw(&bytes)
    }

    /// Sends these bytes on a new connection and reads one answer; status 0 if none comes.
    #[must_use]
    pub fn raw(&self, bytes: &[u8]) -> Response {
        let Ok((mut stream, tls)) = self.open() else { return Response::default() };
        match tls {
            None => exchange(&mut stream, bytes),
            Some(tls) => exchange(&mut StreamOwned::new(tls, stream), bytes),
        }
    }

    /// Opens a connection, and has TLS ready for its handshake if this client speaks TLS.
    ///
    /// # Errors
    /// Nobody accepts it.
    pub fn open(&self) -> std::io::Result<(TcpStream, Option<ClientConnection>)> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.set_nodelay(true)?;
        stream.write_all(&self.preface)?;
        let tls = self.tls.as_ref().map(|config| {
            let name = ServerName::try_from(self.server_name.clone()).expect("a name");
            ClientConnection::new(Arc::clone(config), name).expect("a configuration")
        });
        Ok((stream, tls))
    }
}

/// TLS that trusts `authority` (PEM) and shows `identity` if there is one.
#[must_use]
pub fn tls_config(authority: &str, identity: Option<&Identity>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(authority.as_bytes()).expect("PEM");
    roots.add(certificate).expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring offers them")
        .with_root_certificates(roots);
    match identity {
        Some(identity) => {
            let chain = CertificateDer::pem_slice_iter(identity.chain.as_bytes())
                .collect::<Result<Vec<_>, _>>()
                .expect("PEM");
            let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("PEM");
            builder.with_client_auth_cert(chain, key).expect("a key pair")
        }
        None => builder.with_no_client_auth(),
    }
}

impl Response {
    /// The first line with this name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `null` if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

fn exchange(stream: &mut (impl Read + Write), request: &[u8]) -> Response {
    if stream.write_all(request).and_then(|()| stream.flush()).is_err() {
        return Response::default();
    }
    let has_body = !request.starts_with(b"HEAD ");
    let mut bytes = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        if let Some(response) = parse(&bytes, !has_body) {
            return response;
        }
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => bytes.extend_from_slice(&chunk[..n]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    parse(&bytes, true).unwrap_or_default()
}

/// The response in these bytes, if it is whole; `ended` when no more of them will come.
fn parse(bytes: &[u8], ended: bool) -> Option<Response> {
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut response = Response { status, headers, body: Vec::new() };
    let rest = &bytes[end + 4..];
    let length = response.header("content-length").and_then(|v| v.parse::<usize>().ok());
    response.body = if ended && rest.is_empty() {
        Vec::new()
    } else if response.header("transfer-encoding") == Some("chunked") {
        unchunk(rest)?
    } else if let Some(length) = length {
        rest.get(..length)?.to_vec()
    } else if ended || matches!(status, 204 | 304) {
        rest.to_vec()
    } else {
        return None;
    };
    Some(response)
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|w| w == b"\r\n")?;
        let size =
            usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(end + 2..end + 2 + size)?);
        rest = rest.get(end + 4 + size..)?;
    }
}
