//! Requests as bytes.

use std::net::{IpAddr, Ipv4Addr};

use base64ct::{Base64, Encoding as _};
use serde_json::Value;

use super::config::{METADATA, PEER};
use crate::case::{RequestModel, Setup};
use crate::rbac::PeerForm;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The request that a real connection to a real Envoy carries: everything has a value there, and
/// the client comes from an IPv4 address of this machine.
#[must_use]
pub fn carried(setup: &Setup, request: &RequestModel) -> RequestModel {
    let mut carried = request.clone();
    let source = request.source_ip.filter(IpAddr::is_ipv4).unwrap_or(HERE);
    carried.source_ip = Some(source);
    carried.destination_port = request.destination_port.or(Some(443));
    carried.authority = request.authority.clone().or_else(|| Some("example.com".into()));
    if setup.forwarded {
        carried.remote_ip = request.remote_ip.or(Some(source));
        carried.destination_ip = request.destination_ip.or(Some(HERE));
    } else {
        carried.remote_ip = Some(source);
        // Both ends of a connection are of one family.
        carried.destination_ip = request.destination_ip.filter(IpAddr::is_ipv4).or(Some(HERE));
    }
    if setup.peers == PeerForm::FilterState {
        carried.server_name = None;
    }
    // Envoy's HTTP/1 codec refuses methods that it does not know.
    if carried.method == "GETX" {
        carried.method = "PATCH".into();
    }
    for (_, value) in &mut carried.headers {
        *value = value.trim().into();
    }
    join_credentials(&mut carried.headers);
    carried
}

/// Envoy makes one line of several `Authorization` lines.
fn join_credentials(headers: &mut Vec<(String, String)>) {
    let is_one = |line: &&(String, String)| line.0 == "authorization";
    let values: Vec<&str> = headers.iter().filter(is_one).map(|line| line.1.as_str()).collect();
    let whole = values.join(",");
    let mut first = true;
    headers.retain_mut(|line| {
        if line.0 != "authorization" {
            return true;
        }
        line.1.clone_from(&whole);
        std::mem::take(&mut first)
    });
}

/// The addresses of a connection, as a header of the PROXY protocol, version 1.
pub(super) fn preface(request: &RequestModel) -> String {
    let (source, destination) = (request.source_ip.unwrap_or(HERE), request.destination_ip);
    let destination = destination.unwrap_or(HERE);
    let port = request.destination_port.unwrap_or(443);
    if destination.is_ipv4() {
        format!("PROXY TCP4 {source} {destination} 1 {port}\r\n")
    } else {
        format!("PROXY TCP6 ::1 {destination} 1 {port}\r\n")
    }
}

/// A request of HTTP/1.1.
pub(super) fn bytes(setup: &Setup, request: &RequestModel) -> Vec<u8> {
    let rendered = request.render(setup);
    let mut text = format!("{} {} HTTP/1.1\r\n", request.method, rendered.target);
    let mut line = |name: &str, value: &str| {
        text.push_str(name);
        text.push_str(": ");
        text.push_str(value);
        text.push_str("\r\n");
    };
    if let Some(authority) = &request.authority {
        line("host", authority);
    }
    for (name, value) in &rendered.headers {
        line(name, value);
    }
    if let (true, Some(address)) = (setup.forwarded, request.remote_ip) {
        line("x-forwarded-for", &address.to_string());
    }
    if let (PeerForm::FilterState, Some(peer)) = (setup.peers, &request.peer) {
        line(PEER, peer.uris.first().map_or("", String::as_str));
    }
    if let Some((_, _, value)) = request.metadata.first() {
        line(METADATA, &Base64::encode_string(&protobuf(value)));
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// Text or a list as a `google.protobuf.Value`.
fn protobuf(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => field(3, text.as_bytes()),
        Value::Array(members) => {
            let members: Vec<u8> =
                members.iter().flat_map(|member| field(1, &protobuf(member))).collect();
            field(6, &members)
        }
        _ => Vec::new(),
    }
}

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).ok().filter(|length| *length < 0x80);
    [&[number << 3 | 2, length.expect("a short value")][..], bytes].concat()
}
