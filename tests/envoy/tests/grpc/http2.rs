//! gRPC as it is on the wire: unary calls over HTTP/2, a client's and a server's side.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use h2::client::SendRequest;
use h2::server::SendResponse;
use h2::{RecvStream, client, server};
use http::{HeaderMap, Request, Response};
use lychgate_tests_envoy::Identity;
use lychgate_tests_envoy::client::tls_config;
use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

/// An empty message: not compressed, no bytes long.
const MESSAGE: &[u8] = b"\0\0\0\0\0";

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Whether the stream ended with the headers: what gRPC calls trailers-only.
    pub(crate) is_trailers_only: bool,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("visible ASCII"))
    }

    /// The message, which [`Upstream`] writes as JSON.
    pub(crate) fn message(&self) -> Value {
        serde_json::from_slice(&self.body[MESSAGE.len()..]).expect("what the upstream wrote")
    }
}

/// A connection that begins with HTTP/2, as gRPC's do; its calls run side by side.
pub(crate) async fn connect(address: SocketAddr) -> SendRequest<Bytes> {
    begin(TcpStream::connect(address).await.expect("somebody listens")).await
}

/// The same over TLS, which agrees on HTTP/2 (ALPN).
pub(crate) async fn connect_tls(
    address: SocketAddr,
    authority: &str,
    identity: Option<&Identity>,
) -> SendRequest<Bytes> {
    let mut config = tls_config(authority, identity);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(address).await.expect("somebody listens");
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let stream = stream.expect("TLS");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    begin(stream).await
}

async fn begin(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> SendRequest<Bytes> {
    let (sender, connection) = client::handshake(stream).await.expect("it speaks HTTP/2");
    tokio::spawn(connection);
    sender
}

/// One call.
pub(crate) async fn call(
    connection: &SendRequest<Bytes>,
    path: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let request = Request::post(format!("http://test.example{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    let request =
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let mut sender = connection.clone().ready().await.expect("the connection is there");
    let request = request.body(()).expect("a request");
    let (response, mut stream) = sender.send_request(request, false).expect("it can be sent");
    // A stream that was refused meanwhile takes no more.
    let _ = stream.send_data(MESSAGE.into(), true);
    read(response.await.expect("an answer")).await
}

async fn read(response: Response<RecvStream>) -> Answer {
    let (head, mut stream) = response.into_parts();
    let is_trailers_only = stream.is_end_stream();
    let body = collect(&mut stream).await;
    let trailers = stream.trailers().await.expect("an end");
    Answer { status: head.status.as_u16(), headers: head.headers, is_trailers_only, body, trailers }
}

async fn collect(stream: &mut RecvStream) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(chunk) = stream.data().await {
        let chunk = chunk.expect("data");
        body.extend_from_slice(&chunk);
        stream.flow_control().release_capacity(chunk.len()).expect("it was taken");
    }
    body
}

/// A server that speaks nothing but HTTP/2. It answers each call with one message, the call's path
/// and headers as JSON, and with the status in trailers.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    calls: Arc<AtomicU64>,
}

impl Upstream {
    /// Starts it on a free port; it ends with the runtime.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let calls = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&calls);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&counter)));
            }
        });
        Self { address, calls }
    }

    /// How many calls it has seen.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }
}

async fn converse(stream: TcpStream, calls: Arc<AtomicU64>) {
    let Ok(mut connection) = server::handshake(stream).await else { return };
    while let Some(Ok((request, respond))) = connection.accept().await {
        calls.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(answer(request, respond));
    }
}

async fn answer(request: Request<RecvStream>, mut respond: SendResponse<Bytes>) {
    let (head, mut stream) = request.into_parts();
    assert_eq!(collect(&mut stream).await, MESSAGE, "the whole call comes through");
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: Vec<_> = head.headers.iter().map(|(n, v)| json!([n.as_str(), text(v)])).collect();
    let json = json!({ "path": head.uri.path(), "headers": headers }).to_string();
    let length = u32::try_from(json.len()).expect("a short message").to_be_bytes();
    let message = [&[0], &length[..], json.as_bytes()].concat();
    let response = Response::builder().header("content-type", "application/grpc");
    // A caller that went away needs no answer.
    let Ok(mut stream) = respond.send_response(response.body(()).expect("a response"), false)
    else {
        return;
    };
    let _ = stream.send_data(message.into(), false);
    let _ = stream.send_trailers(HeaderMap::from_iter([(
        http::HeaderName::from_static("grpc-status"),
        http::HeaderValue::from_static("0"),
    )]));
}
