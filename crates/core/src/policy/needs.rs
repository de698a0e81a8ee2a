//! What a policy reads, so that a host fetches nothing else.

use alloc::string::String;
use alloc::vec::Vec;

use crate::order;

/// What the policies in force read of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Needs {
    /// The method.
    pub method: bool,
    /// The path.
    pub path: bool,
    /// The authority.
    pub host: bool,
    /// The verified peer.
    pub peer: bool,
    /// Whether the peer stands at the other end of a tunnel, as in a waypoint, and the connection's
    /// own peer is only the tunnel's.
    pub tunnelled_peer: bool,
    /// The verified token.
    pub token: bool,
    /// The address of the physical peer.
    pub source_ip: bool,
    /// The address of the client behind trusted proxies.
    pub remote_ip: bool,
    /// The address that the peer connected to.
    pub destination_ip: bool,
    /// The port that the peer connected to.
    pub destination_port: bool,
    /// The server name of the TLS handshake.
    pub server_name: bool,
    /// Headers, by name in lower case; in order, each once.
    pub headers: Vec<String>,
    /// Metadata, by filter and key; in order, each once.
    pub metadata: Vec<(String, String)>,
    /// How many segments of a path any rule looks at: `;` parameters behind them change nothing.
    pub parameter_depth: usize,
}

impl Needs {
    /// Puts the lists in order, where the same was needed again and again.
    pub(super) fn settle(&mut self) {
        settle(&mut self.headers);
        settle(&mut self.metadata);
    }
}

fn settle<T: Ord>(list: &mut Vec<T>) {
    order::sort_by(list, |a, b| a < b);
    list.dedup();
}
