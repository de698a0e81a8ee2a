//! A local decision endpoint: OpenID AuthZEN 1.0, and Envoy's ext_authz over HTTP.
//!
//! Connections are read by threads of their own; the policy lives on one thread, which answers one
//! question after the other. That is enough for tests and for development, which is what it is for.

mod authzen;
mod ext_authz;
mod http;

use core::sync::atomic::{AtomicUsize, Ordering};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use crate::subject::Subject;
use http::{Message, Reply};

/// Most connections at the same time; a further one is closed at once.
const CONNECTIONS: usize = 128;

/// A request, and where its answer goes.
struct Question {
    message: Message,
    answer: Sender<Reply>,
}

/// Answers until the listener fails.
pub(crate) fn serve(listener: TcpListener, subject: &mut Subject) -> io::Result<()> {
    let address = listener.local_addr()?;
    let base = format!("http://{address}");
    let (sender, questions) = mpsc::channel();
    let accepting = thread::spawn(move || accept(&listener, &sender));
    answer_all(&questions, subject, &base);
    accepting.join().unwrap_or_else(|_| Err(io::Error::other("the listener is gone")))
}

fn accept(listener: &TcpListener, sender: &Sender<Question>) -> io::Result<()> {
    let open = Arc::new(AtomicUsize::new(0));
    loop {
        // One connection that breaks before it begins is no reason to stop.
        let Ok((stream, _)) = listener.accept() else { continue };
        if open.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS {
            open.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let (open, sender) = (Arc::clone(&open), sender.clone());
        thread::spawn(move || {
            // A client that went away needs no answer.
            let _ = converse(stream, &sender);
            open.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

/// One request after the other, until the client has no more or one can't be read.
fn converse(mut stream: TcpStream, sender: &Sender<Question>) -> io::Result<()> {
    stream.set_read_timeout(Some(http::PATIENCE))?;
    stream.set_write_timeout(Some(http::PATIENCE))?;
    let mut reader = http::Reader::new(stream.try_clone()?);
    loop {
        let message = match reader.next()? {
            http::Next::Message(message) => message,
            http::Next::End => return Ok(()),
            http::Next::Refused(status) => {
                return Reply::plain(status).write(&mut stream, false);
            }
        };
        let keep = message.keep_alive;
        let (answer, waiting) = mpsc::channel();
        let gone = || io::Error::other("the server stops");
        sender.send(Question { message, answer }).map_err(|_| gone())?;
        let reply = waiting.recv().map_err(|_| gone())?;
        reply.write(&mut stream, keep)?;
        if !keep {
            return Ok(());
        }
    }
}

fn answer_all(questions: &Receiver<Question>, subject: &mut Subject, base: &str) {
    for Question { message, answer } in questions {
        // The client may have gone meanwhile.
        let _ = answer.send(reply(&message, subject, base));
    }
}

fn reply(message: &Message, subject: &mut Subject, base: &str) -> Reply {
    if let Some(target) = message.target.strip_prefix("/ext-authz") {
        return ext_authz::check(message, target, subject);
    }
    let path = message.target.split('?').next().unwrap_or_default();
    let mut reply = match (message.method.as_str(), path) {
        ("GET", "/.well-known/authzen-configuration") => authzen::configuration(base),
        ("POST", "/access/v1/evaluation") => authzen::evaluation(message, subject),
        ("POST", "/access/v1/evaluations") => authzen::evaluations(message, subject),
        (_, "/access/v1/evaluation" | "/access/v1/evaluations") => Reply::plain(405),
        ("GET", "/healthz") => Reply::plain(200),
        _ => Reply::plain(404),
    };
    // AuthZEN §10.1: who asks may name the request, and the answer repeats the name.
    if let Some(id) = message.header("x-request-id") {
        reply.headers.push(("x-request-id".to_owned(), id.to_owned()));
    }
    reply
}
