//! Envoy's request as core's.

use core::net::{IpAddr, SocketAddr};

use lychgate_core::limits::HEADER_LINES;
use lychgate_core::policy::Needs;
use lychgate_core::request::{Connection, HeaderLine, Lines, Metadatum, Request};
use lychgate_core::spiffe::Peer;
use proxy_wasm::hostcalls;
use proxy_wasm::types::{Bytes, MapType};

use crate::{host, metadata};

/// Most pairs, pseudo-headers included, that Envoy hands over at once (`PAIRS_MAX_COUNT`).
const PAIRS: usize = 1024;

/// What Envoy said about a request, in as few calls as possible.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// The header map as it came, pseudo-headers first.
    pairs: Vec<(String, Bytes)>,
    /// Whether there are more lines than can be had.
    overflows: bool,
    source: Option<IpAddr>,
    destination_ip: Option<IpAddr>,
    destination_port: Option<u16>,
    server_name: Option<Bytes>,
    metadata: Vec<Metadatum>,
}

impl Snapshot {
    /// Reads the request of the effective context, which has so many header lines, and of its
    /// connection what the policy needs.
    pub(crate) fn read(lines: usize, needs: &Needs) -> Self {
        let overflows = lines > PAIRS;
        let source = needs.source_ip || needs.remote_ip;
        let destination_port =
            if needs.destination_port { host::number(&["destination", "port"]) } else { None };
        let server_name = &["connection", "requested_server_name"];
        Self {
            pairs: if overflows { pseudo_headers() } else { all_headers() },
            overflows,
            source: if source { address(&["source", "address"]) } else { None },
            destination_ip: if needs.destination_ip {
                address(&["destination", "address"])
            } else {
                None
            },
            destination_port: destination_port.and_then(|port| port.try_into().ok()),
            server_name: if needs.server_name { host::attribute(server_name) } else { None },
            metadata: metadata::read(&needs.metadata),
        }
    }

    /// Whether it has more header lines than can be seen.
    pub(crate) const fn overflows(&self) -> bool {
        self.overflows
    }

    /// Shows the request to `look` in core's form.
    pub(crate) fn view<T>(&self, peer: &Peer, look: impl FnOnce(&Request<'_>) -> T) -> T {
        let pseudo = |wanted: &str| {
            let pair = self.pairs.iter().find(|(name, _)| name == wanted);
            pair.map(|(_, value)| value.as_slice())
        };
        let mut headers = Vec::with_capacity(self.pairs.len());
        let lines = self.pairs.iter().filter(|(name, _)| !name.starts_with(':'));
        headers.extend(lines.map(|(name, value)| HeaderLine { name: name.as_bytes(), value }));
        if self.overflows {
            // More lines than can be had: as many as no request may have, so that core says no.
            let nothing = HeaderLine { name: b"", value: b"" };
            headers.resize(HEADER_LINES.saturating_add(1), nothing);
        }
        look(&Request {
            method: pseudo(":method").unwrap_or_default(),
            target: pseudo(":path").unwrap_or_default(),
            authority: pseudo(":authority"),
            headers: &headers,
            lines: Lines::Separate,
            peer,
            connection: Connection {
                // Rules on the physical peer load only where the listener trusts no forwarding
                // header or protocol; there Envoy's source address is both.
                source_ip: self.source,
                remote_ip: self.source,
                destination_ip: self.destination_ip,
                destination_port: self.destination_port,
                server_name: self.server_name.as_deref(),
            },
            metadata: &self.metadata,
        })
    }
}

fn all_headers() -> Vec<(String, Bytes)> {
    hostcalls::get_map_bytes(MapType::HttpRequestHeaders).unwrap_or_default()
}

fn pseudo_headers() -> Vec<(String, Bytes)> {
    let value = |name: &str| {
        let value = hostcalls::get_map_value_bytes(MapType::HttpRequestHeaders, name);
        Some((name.to_owned(), value.ok().flatten()?))
    };
    [":method", ":path", ":authority"].into_iter().filter_map(value).collect()
}

fn address(path: &[&str]) -> Option<IpAddr> {
    parse_address(&host::attribute(path)?)
}

/// The IP address in `address:port`, of the family that Envoy takes it for. A Unix socket has none.
fn parse_address(text: &[u8]) -> Option<IpAddr> {
    let text = core::str::from_utf8(text).ok()?;
    text.parse::<SocketAddr>().ok().map(|address| address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_loses_its_port() {
        for (text, ip) in [
            ("10.1.2.3:80", Some("10.1.2.3")),
            ("[2001:db8::1]:443", Some("2001:db8::1")),
            ("[::ffff:10.1.2.3]:80", Some("::ffff:10.1.2.3")),
            ("/run/envoy.sock", None),
            ("10.1.2.3", None),
            ("010.1.2.3:80", None),
            ("", None),
        ] {
            assert_eq!(parse_address(text.as_bytes()), ip.map(|ip| ip.parse().unwrap()), "{text}");
        }
    }
}
