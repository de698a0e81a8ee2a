//! A load generator: one thread, keep-alive connections, one request in flight on each.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

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

/// Sends requests for `time`; `next` makes them. Every answer must be 200.
pub(crate) fn run(
    address: SocketAddr,
    time: Duration,
    mut next: impl FnMut(&mut Vec<u8>),
) -> Sample {
    let mut poll = Poll::new().expect("epoll");
    let mut connections: Vec<Connection> =
        (0..CONNECTIONS).map(|index| Connection::open(address, index, &poll)).collect();
    let mut events = Events::with_capacity(CONNECTIONS);
    let mut latencies = Vec::with_capacity(200_000);
    let start = Instant::now();
    for connection in &mut connections {
        connection.send(&mut next);
    }
    while start.elapsed() < time {
        poll.poll(&mut events, Some(Duration::from_millis(100))).expect("epoll");
        for event in &events {
            let connection = &mut connections[event.token().0];
            if connection.receive() {
                let micros = connection.sent.elapsed().as_micros();
                latencies.push(u32::try_from(micros).unwrap_or(u32::MAX));
                connection.send(&mut next);
            }
        }
    }
    let elapsed = start.elapsed();
    latencies.sort_unstable();
    Sample { requests: latencies.len() as u64, elapsed, latencies }
}

struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
    sent: Instant,
}

impl Connection {
    fn open(address: SocketAddr, index: usize, poll: &Poll) -> Self {
        let stream = std::net::TcpStream::connect(address).expect("the listener accepts");
        stream.set_nodelay(true).expect("no-delay");
        stream.set_nonblocking(true).expect("non-blocking");
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(index), Interest::READABLE).expect("epoll");
        Self { stream, request: Vec::new(), answer: Vec::new(), sent: Instant::now() }
    }

    /// A request is far smaller than a socket's buffer, so one write takes it.
    fn send(&mut self, next: &mut impl FnMut(&mut Vec<u8>)) {
        self.request.clear();
        self.answer.clear();
        next(&mut self.request);
        self.sent = Instant::now();
        self.stream.write_all(&self.request).expect("the connection takes a request");
    }

    /// Reads what there is; true when the answer is whole.
    fn receive(&mut self) -> bool {
        let mut chunk = [0; 4096];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => panic!("Envoy closed the connection"),
                Ok(n) => self.answer.extend_from_slice(&chunk[..n]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("reading: {error}"),
            }
        }
        // Every answer is Envoy's own: a head, then `ok`.
        let whole = self.answer.ends_with(b"\r\n\r\nok");
        assert!(
            self.answer.is_empty() || self.answer.starts_with(b"HTTP/1.1 200"),
            "not 200: {}",
            String::from_utf8_lossy(&self.answer)
        );
        whole
    }
}
