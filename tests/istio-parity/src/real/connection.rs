//! Keep-alive connections to both listeners of a set of policies.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use socket2::{Domain, Socket, Type};

use super::answer::Reply;
use super::{Identities, wire};
use crate::case::{PeerNames, RequestModel, Setup};
use crate::rbac::PeerForm;

/// How often a request is sent again whose connection was closed before its answer.
const ATTEMPTS: usize = 3;

/// How long an answer may take, on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// What two requests must have in common to share a connection.
type Key = (Option<IpAddr>, Option<IpAddr>, Option<u16>, Option<String>, Option<PeerNames>);

/// Where both listeners of a set of policies are reached.
pub(super) struct Links<'a> {
    pub(super) addresses: [SocketAddr; 2],
    pub(super) setup: &'a Setup,
    pub(super) identities: &'a Identities,
}

impl Links<'_> {
    /// Sends each request to both listeners and returns the pairs of answers in the same order.
    ///
    /// Envoy closes a connection on which a third request comes before the first is answered, so
    /// one is under way on each.
    pub(super) fn exchange(
        &self,
        requests: &[RequestModel],
        bytes: &[Vec<u8>],
    ) -> io::Result<Vec<[Reply; 2]>> {
        let mut connections: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
        for (index, request) in requests.iter().enumerate() {
            connections.entry(key(self.setup, request)).or_default().push(index);
        }
        let mut replies = vec![<[Reply; 2]>::default(); requests.len()];
        for indices in connections.values() {
            let mut pair =
                self.addresses.map(|address| Link { address, links: self, stream: None });
            for index in indices {
                let (request, bytes) = (&requests[*index], &bytes[*index]);
                for link in &mut pair {
                    link.send(request, bytes)?;
                }
                for (link, reply) in pair.iter_mut().zip(&mut replies[*index]) {
                    *reply = link.receive(request, bytes)?;
                }
            }
        }
        Ok(replies)
    }
}

/// A connection that is made anew when it was closed.
struct Link<'a> {
    address: SocketAddr,
    links: &'a Links<'a>,
    stream: Option<BufReader<Box<dyn Stream>>>,
}

impl Link<'_> {
    fn send(&mut self, request: &RequestModel, bytes: &[u8]) -> io::Result<()> {
        if self.stream.is_none() {
            let Links { setup, identities, .. } = self.links;
            self.stream = Some(connect(self.address, setup, request, identities)?);
        }
        let Some(stream) = &mut self.stream else { return Ok(()) };
        let stream = stream.get_mut();
        if stream.write_all(bytes).and_then(|()| stream.flush()).is_err() {
            self.stream = None;
        }
        Ok(())
    }

    fn receive(&mut self, request: &RequestModel, bytes: &[u8]) -> io::Result<Reply> {
        for _ in 0..ATTEMPTS {
            if let Some(Ok(reply)) = self.stream.as_mut().map(read) {
                if reply.closes {
                    self.stream = None;
                }
                return Ok(reply);
            }
            self.stream = None;
            self.send(request, bytes)?;
        }
        let message = format!("no answer to {request:?}");
        Err(io::Error::new(ErrorKind::UnexpectedEof, message))
    }
}

fn key(setup: &Setup, request: &RequestModel) -> Key {
    let certificate = (setup.peers == PeerForm::Certificate).then(|| request.peer.clone());
    (
        request.source_ip,
        request.destination_ip,
        request.destination_port,
        request.server_name.clone(),
        certificate.flatten(),
    )
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

fn connect(
    address: SocketAddr,
    setup: &Setup,
    request: &RequestModel,
    identities: &Identities,
) -> io::Result<BufReader<Box<dyn Stream>>> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if let Some(source) = request.source_ip {
        socket.bind(&SocketAddr::new(source, 0).into())?;
    }
    socket.connect(&address.into())?;
    let mut stream = TcpStream::from(socket);
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(wire::preface(request).as_bytes())?;
    if setup.peers == PeerForm::FilterState {
        return Ok(BufReader::new(Box::new(stream)));
    }
    let name = request.server_name.as_deref();
    let client = identities.client(request.peer.as_ref(), name.is_some());
    let name = ServerName::try_from(name.unwrap_or("localhost").to_owned());
    let name = name.map_err(io::Error::other)?;
    let tls = ClientConnection::new(client, name).map_err(io::Error::other)?;
    Ok(BufReader::new(Box::new(StreamOwned::new(tls, stream))))
}

/// One response; all of them say how long they are.
fn read(stream: &mut impl BufRead) -> io::Result<Reply> {
    let bad = || io::Error::new(ErrorKind::InvalidData, "no response of HTTP/1.1");
    let mut line = Vec::new();
    next_line(stream, &mut line)?;
    let text = std::str::from_utf8(&line).map_err(|_| bad())?;
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(bad)?;
    let (mut length, mut closes) = (0, false);
    loop {
        next_line(stream, &mut line)?;
        if line.is_empty() {
            break;
        }
        closes |= line == b"connection: close";
        if let Some(value) = line.strip_prefix(b"content-length: ") {
            let text = std::str::from_utf8(value).map_err(|_| bad())?;
            length = text.parse().map_err(|_| bad())?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Reply { status, body, closes })
}

fn next_line(stream: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<()> {
    line.clear();
    if stream.read_until(b'\n', line)? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    while line.last().is_some_and(|byte| b"\r\n".contains(byte)) {
        line.pop();
    }
    Ok(())
}
