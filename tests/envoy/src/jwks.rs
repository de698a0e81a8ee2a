//! A JWKS endpoint that misbehaves on demand.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the endpoint does with the next requests.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// Answers with this status and body.
    Answer(u16, Vec<u8>),
    /// Waits, then answers 200 with this body.
    Slow(Duration, Vec<u8>),
    /// Closes the connection without an answer.
    HangUp,
}

#[derive(Debug)]
struct State {
    behaviour: Behaviour,
    requests: u64,
    open: u64,
    most_open: u64,
}

/// A JWKS endpoint.
#[derive(Debug)]
pub struct JwksServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl JwksServer {
    /// Starts it on a free port; it ends with the process.
    #[must_use]
    pub fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let state = State { behaviour, requests: 0, open: 0, most_open: 0 };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(&stream, &state));
            }
        });
        Self { address, state }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Behaves differently from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.state.lock().expect("no thread panics").behaviour = behaviour;
    }

    /// How many requests came.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.state.lock().expect("no thread panics").requests
    }

    /// The most requests that were open at the same time.
    #[must_use]
    pub fn most_open(&self) -> u64 {
        self.state.lock().expect("no thread panics").most_open
    }
}

fn serve(stream: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    while read_head(&mut reader) {
        let behaviour = {
            let mut state = state.lock().expect("no thread panics");
            state.requests += 1;
            state.open += 1;
            state.most_open = state.most_open.max(state.open);
            state.behaviour.clone()
        };
        let go_on = answer(stream, behaviour);
        state.lock().expect("no thread panics").open -= 1;
        if !go_on {
            return;
        }
    }
}

fn answer(mut stream: &TcpStream, behaviour: Behaviour) -> bool {
    let (status, body) = match behaviour {
        Behaviour::Answer(status, body) => (status, body),
        Behaviour::Slow(delay, body) => {
            std::thread::sleep(delay);
            (200, body)
        }
        Behaviour::HangUp => return false,
    };
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).is_ok()
}

/// Reads up to the empty line; false at the end of the connection.
fn read_head(reader: &mut impl BufRead) -> bool {
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return false,
            Ok(_) if line == b"\r\n" => return true,
            Ok(_) => {}
        }
    }
}
