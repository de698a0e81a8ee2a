//! A load generator: one thread, keep-alive connections, one request in flight on each.

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use lychgate_tests_envoy::Client;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use rustls::{ClientConnection, Stream};

/// Connections of every run.
pub(crate) const CONNECTIONS: usize = 32;

/// What a run measured.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// Answers.
    pub(crate) requests: u64,
    /// How long it took.
    pub(crate) elapsed: Duration,
    /// Latencies in microseconds, sorted.
    latencies: Vec<u32>,
}

impl Sample {
    /// Requests in a second.
    pub(crate) fn rate(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64()
    }

    /// The latency below which this share of the answers stayed, in microseconds.
    pub(crate) fn latency(&self, share: f64) -> f64 {
        let index = (self.latencies.len() as f64 * share) as usize;
        self.latencies.get(index).or(self.latencies.last()).copied().map_or(0.0, f64::from)
    }
}

/// Open connections to one listener.
pub(crate) struct Load {
    poll: Poll,
    connections: Vec<Connection>,
}

impl Load {
    /// Opens the connections, with their TLS handshakes done.
    pub(crate) fn open(client: &Client) -> Self {
        let poll = Poll::new().expect("epoll");
        let connections = (0..CONNECTIONS).map(|index| Connection::open(client, index, &poll));
        Self { connections: connections.collect(), poll }
    }

    /// Sends requests for `time`; `next` makes them. Every answer must be 200.
    pub(crate) fn run(&mut self, time: Duration, mut next: impl FnMut(&mut Vec<u8>)) -> Sample {
        let mut events = Events::with_capacity(CONNECTIONS);
        let mut latencies = Vec::with_capacity(200_000);
        let start = Instant::now();
        for connection in &mut self.connections {
            connection.send(&mut next);
        }
        let mut in_flight = self.connections.len();
        while in_flight > 0 {
            self.poll.poll(&mut events, Some(Duration::from_millis(100))).expect("epoll");
            for event in &events {
                let connection = &mut self.connections[event.token().0];
                if !connection.receive() {
                    continue;
                }
                let micros = connection.sent.elapsed().as_micros();
                latencies.push(u32::try_from(micros).unwrap_or(u32::MAX));
                if start.elapsed() < time {
                    connection.send(&mut next);
                } else {
                    in_flight -= 1;
                }
            }
        }
        let elapsed = start.elapsed();
        latencies.sort_unstable();
        Sample { requests: latencies.len() as u64, elapsed, latencies }
    }
}

struct Connection {
    stream: TcpStream,
    tls: Option<ClientConnection>,
    request: Vec<u8>,
    answer: Vec<u8>,
    sent: Instant,
}

impl Connection {
    fn open(client: &Client, index: usize, poll: &Poll) -> Self {
        let (mut stream, mut tls) = client.open().expect("the listener accepts");
        if let Some(tls) = &mut tls {
            while tls.is_handshaking() {
                tls.complete_io(&mut stream).expect("a TLS handshake");
            }
        }
        stream.set_nonblocking(true).expect("non-blocking");
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(index), Interest::READABLE).expect("epoll");
        Self { stream, tls, request: Vec::new(), answer: Vec::new(), sent: Instant::now() }
    }

    /// A request is far smaller than a socket's buffer, so one write takes it.
    fn send(&mut self, next: &mut impl FnMut(&mut Vec<u8>)) {
        self.request.clear();
        self.answer.clear();
        next(&mut self.request);
        self.sent = Instant::now();
        let sent = match &mut self.tls {
            None => self.stream.write_all(&self.request),
            Some(tls) => Stream::new(tls, &mut self.stream).write_all(&self.request),
        };
        sent.expect("the connection takes a request");
    }

    /// Reads what there is; true when the answer is whole.
    fn receive(&mut self) -> bool {
        let mut chunk = [0; 4096];
        loop {
            match self.read(&mut chunk) {
                Ok(0) => panic!("Envoy closed the connection"),
                Ok(n) => self.answer.extend_from_slice(&chunk[..n]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("reading: {error}"),
            }
        }
        // Every answer is Envoy's own: a head, then `ok`.
        assert!(
            self.answer.is_empty() || self.answer.starts_with(b"HTTP/1.1 200"),
            "not 200: {}",
            String::from_utf8_lossy(&self.answer)
        );
        self.answer.ends_with(b"\r\n\r\nok")
    }

    fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.stream.read(chunk),
            Some(tls) => Stream::new(tls, &mut self.stream).read(chunk),
        }
    }
}
