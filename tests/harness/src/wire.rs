//! Requests as JSON, for launchers that are not written in Rust.

use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};

use crate::certificate::Issued;
use crate::request::{HttpRequest, Peer};

/// The request as JSON in which all bytes are base64; `issued` is the peer's certificate.
#[must_use]
pub fn request_json(request: &HttpRequest, issued: Option<&Issued>) -> Value {
    let headers = request.headers.iter();
    let headers: Vec<_> = headers.map(|(n, v)| [encoded(n), encoded(v)]).collect();
    json!({
        "method": encoded(&request.method),
        "target": encoded(&request.target),
        "authority": request.authority.as_deref().map(encoded),
        "headers": headers,
        "joined": request.joined,
        "peer": peer(&request.peer, issued),
        "source_ip": request.source_ip.map(|ip| ip.to_string()),
        "remote_ip": request.remote_ip.map(|ip| ip.to_string()),
        "destination_ip": request.destination_ip.map(|ip| ip.to_string()),
        "destination_port": request.destination_port,
        "server_name": request.server_name,
        "has_metadata": !request.metadata.is_empty(),
    })
}

fn peer(peer: &Peer, issued: Option<&Issued>) -> Value {
    match (peer, issued) {
        (Peer::Absent, _) => Value::Null,
        (Peer::Certificate(_), Some(issued)) => json!({ "der": encoded(&issued.der) }),
        (Peer::Certificate(_), None) | (Peer::Unverified(_), _) => json!("unverified"),
    }
}

fn encoded(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}
