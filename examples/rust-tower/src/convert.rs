//! From [`http::Request`] to core's request, and from core's reply to [`http::Response`].

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::header::{HOST, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Response, StatusCode, Uri};
use lychgate_core::reply::Reply;
use lychgate_core::request::{Connection, HeaderLine, Lines, Request};
use lychgate_core::spiffe::Peer;
use lychgate_core::upstream::UpstreamChanges;

/// All header lines, one for each line of the message.
#[must_use]
pub fn header_lines(parts: &Parts) -> Vec<HeaderLine<'_>> {
    parts
        .headers
        .iter()
        .map(|(name, value)| HeaderLine { name: name.as_str().as_bytes(), value: value.as_bytes() })
        .collect()
}

/// The request as core sees it. Nothing is decoded and nothing is decided here.
#[must_use]
pub fn request<'a>(parts: &'a Parts, headers: &'a [HeaderLine<'a>]) -> Request<'a> {
    Request {
        method: parts.method.as_str().as_bytes(),
        target: parts.uri.path_and_query().map_or(&[], |target| target.as_str().as_bytes()),
        authority: authority(parts),
        headers,
        lines: Lines::Separate,
        peer: parts.extensions.get::<Peer>().unwrap_or(&Peer::Absent),
        connection: connection(parts),
        metadata: &[],
    }
}

/// A target with an authority wins over `Host`; core refuses a request in which they differ.
fn authority(parts: &Parts) -> Option<&[u8]> {
    match parts.uri.authority() {
        Some(authority) => Some(authority.as_str().as_bytes()),
        None => parts.headers.get(HOST).map(HeaderValue::as_bytes),
    }
}

/// The socket's own address is the physical peer; nothing here follows `X-Forwarded-For`. A socket
/// for both families has IPv4 addresses in their mapped form.
fn connection(parts: &Parts) -> Connection<'_> {
    let address =
        parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
    Connection { source_ip: address, remote_ip: address, ..Connection::default() }
}

/// Core's answer as a response.
#[must_use]
pub fn response(reply: Reply) -> Response<Body> {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().append(HeaderName::from_static(name), value);
        }
    }
    response
}

/// Applies what core wants changed before the service sees the request.
///
/// # Errors
/// A change that can't be made; the request must then not pass.
pub fn apply(changes: &UpstreamChanges, parts: &mut Parts) -> Result<(), http::Error> {
    for name in &changes.remove {
        parts.headers.remove(name.as_str());
    }
    for (name, value) in &changes.set {
        let name = HeaderName::from_bytes(name.as_bytes())?;
        parts.headers.insert(name, HeaderValue::from_str(value)?);
    }
    if let Some(target) = &changes.target {
        let mut uri = parts.uri.clone().into_parts();
        uri.path_and_query = Some(PathAndQuery::try_from(target.as_slice())?);
        parts.uri = Uri::from_parts(uri)?;
    }
    Ok(())
}
