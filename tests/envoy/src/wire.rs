//! The harness's requests as bytes on a socket.

use std::net::IpAddr;

use lychgate_harness::HttpRequest;

/// The addresses of a request, as a PROXY protocol header of version 1.
#[must_use]
pub fn proxy_line(sent: &HttpRequest) -> Vec<u8> {
    let source = sent.source_ip.or(sent.remote_ip);
    let six = [source, sent.destination_ip].iter().flatten().any(|address| address.is_ipv6());
    let (family, here) = if six { ("TCP6", "::1") } else { ("TCP4", "127.0.0.1") };
    let text = |ip: Option<IpAddr>| ip.map_or(here.to_owned(), |ip| ip.to_string());
    let port = sent.destination_port.unwrap_or(443);
    format!("PROXY {family} {} {} 1 {port}\r\n", text(source), text(sent.destination_ip)).into()
}

/// The request as HTTP/1.1, with `id` to find its audit record again.
#[must_use]
pub fn bytes(sent: &HttpRequest, id: &str) -> Vec<u8> {
    let mut bytes = [&sent.method, &b" "[..], &sent.target, b" HTTP/1.1\r\n"].concat();
    let mut line = |name: &[u8], value: &[u8]| {
        bytes.extend_from_slice(&[name, b": ", value, b"\r\n"].concat());
    };
    if let Some(authority) = &sent.authority {
        line(b"Host", authority);
    }
    for (name, value) in &sent.headers {
        line(name, value);
    }
    if own_id(sent).is_none() {
        line(b"x-request-id", id.as_bytes());
    }
    if values(&sent.headers, "connection").is_empty() {
        line(b"connection", b"close");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// The correlation id with which the request comes.
#[must_use]
pub fn own_id(sent: &HttpRequest) -> Option<String> {
    values(&sent.headers, "x-request-id").into_iter().next()
}

/// The values of a header, in order.
#[must_use]
pub fn values(headers: &[(Vec<u8>, Vec<u8>)], wanted: &str) -> Vec<String> {
    let named = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted.as_bytes()));
    named.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
}
