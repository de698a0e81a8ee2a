//! What a policy reads, so that a host fetches nothing else.

use alloc::collections::BTreeSet;
use alloc::string::String;

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
    /// Headers, by name in lower case.
    pub headers: BTreeSet<String>,
    /// Metadata, by filter and key.
    pub metadata: BTreeSet<(String, String)>,
    /// How many segments of a path any rule looks at: `;` parameters behind them change nothing.
    pub parameter_depth: usize,
}
