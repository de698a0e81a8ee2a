//! As much of HTTP/1.1 (RFC 9112) as a local endpoint needs.
//!
//! Refused: any transfer coding, two different lengths, white space before a colon, more than
//! [`HEAD`] bytes of header and [`BODY`] bytes of body.

use core::time::Duration;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// How long a client may take for each step.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Most bytes of the request line and the headers.
const HEAD: usize = 64 * 1024;

/// Most bytes of a body.
const BODY: usize = 1024 * 1024;

/// A request.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) method: String,
    pub(super) target: String,
    /// In order, names as they came.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) keep_alive: bool,
}

impl Message {
    /// The first header of that name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let named = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
        self.headers.iter().find(named).map(|(_, value)| value.as_str())
    }
}

/// What comes next on a connection.
pub(super) enum Next {
    Message(Message),
    End,
    /// Something that is answered with this status, and nothing after it is read.
    Refused(u16),
}

/// Reads requests from a connection.
pub(super) struct Reader(BufReader<TcpStream>);

impl Reader {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self(BufReader::new(stream))
    }

    pub(super) fn next(&mut self) -> io::Result<Next> {
        let mut left = HEAD;
        let Some(line) = self.line(&mut left)? else { return Ok(Next::End) };
        let parts: Vec<&str> = line.split(' ').collect();
        let [method, target, version @ ("HTTP/1.1" | "HTTP/1.0")] = parts.as_slice() else {
            return Ok(Next::Refused(400));
        };
        let mut message = Message {
            method: (*method).to_owned(),
            target: (*target).to_owned(),
            keep_alive: *version == "HTTP/1.1",
            ..Message::default()
        };
        loop {
            let Some(line) = self.line(&mut left)? else { return Ok(Next::Refused(431)) };
            if line.is_empty() {
                break;
            }
            match line.split_once(':') {
                Some((name, value)) if !name.is_empty() && !name.contains([' ', '\t']) => {
                    message.headers.push((name.to_owned(), value.trim().to_owned()));
                }
                _ => return Ok(Next::Refused(400)),
            }
        }
        let connection = message.header("connection").unwrap_or_default();
        message.keep_alive &= !connection.eq_ignore_ascii_case("close");
        self.body(message)
    }

    fn body(&mut self, mut message: Message) -> io::Result<Next> {
        if message.header("transfer-encoding").is_some() {
            return Ok(Next::Refused(501));
        }
        let is_length = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("content-length");
        let mut lengths = message.headers.iter().filter(is_length).map(|(_, value)| value);
        let length = match (lengths.next(), lengths.next()) {
            (None, _) => Some(0),
            (Some(one), None) if one.bytes().all(|b| b.is_ascii_digit()) => one.parse().ok(),
            (Some(_), _) => None,
        };
        match length {
            None => return Ok(Next::Refused(400)),
            Some(length) if length > BODY => return Ok(Next::Refused(413)),
            Some(length) => {
                message.body = vec![0; length];
                self.0.read_exact(&mut message.body)?;
            }
        }
        Ok(Next::Message(message))
    }

    /// A line without its end; none at the end of the connection or of the bound.
    fn line(&mut self, left: &mut usize) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        let most = u64::try_from(*left).unwrap_or(0);
        let read = self.0.by_ref().take(most).read_until(b'\n', &mut line)?;
        *left = left.saturating_sub(read);
        if line.pop() != Some(b'\n') {
            return Ok(None);
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        // Bytes outside UTF-8 become something that no policy names.
        Ok(Some(String::from_utf8_lossy(&line).into_owned()))
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn plain(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    pub(super) fn json(status: u16, value: &serde_json::Value) -> Self {
        let json = ("content-type".to_owned(), "application/json".to_owned());
        Self { status, headers: vec![json], body: value.to_string() }
    }

    pub(super) fn write(&self, stream: &mut TcpStream, keep_alive: bool) -> io::Result<()> {
        let mut text = format!("HTTP/1.1 {} {}\r\n", self.status, phrase(self.status));
        for (name, value) in &self.headers {
            // A line break in a value would begin another header.
            let value: String = value.chars().filter(|c| !c.is_control()).collect();
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        let connection = if keep_alive { "keep-alive" } else { "close" };
        text.push_str(&format!(
            "content-length: {}\r\nconnection: {connection}\r\n\r\n{}",
            self.body.len(),
            self.body
        ));
        stream.write_all(text.as_bytes())?;
        stream.flush()
    }
}

const fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "",
    }
}
