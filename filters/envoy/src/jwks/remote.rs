//! Where a key set is, and the call that fetches it.

use core::fmt;
use core::time::Duration;

use lychgate_core::authn::{KeySource, RefreshRules};
use proxy_wasm::hostcalls;
use proxy_wasm::types::Status;

/// A key set that can be fetched through an Envoy cluster.
#[derive(Debug, Clone, Default)]
pub(super) struct Remote {
    /// Its URI.
    pub(super) uri: String,
    /// The key under which its body is shared.
    pub(super) name: String,
    /// When it is fetched.
    pub(super) rules: RefreshRules,
    cluster: String,
    scheme: String,
    authority: String,
    path: String,
}

/// Why a key set can't be fetched from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UriError {
    /// No cluster is named for it.
    NoCluster {
        /// The key set's URI.
        uri: String,
    },
    /// Only its issuer's metadata say where it is, so no cluster can be named for it.
    Discovered {
        /// The issuer.
        issuer: String,
    },
    /// Its URI is not `http(s)://host[:port]/...`.
    Malformed {
        /// The key set's URI.
        uri: String,
    },
}

impl Remote {
    /// Reads where a source is.
    pub(super) fn of(source: &KeySource) -> Result<Self, UriError> {
        if let Some(issuer) = &source.discovered_by {
            return Err(UriError::Discovered { issuer: issuer.to_string() });
        }
        let uri = || source.uri.to_string();
        let cluster =
            source.cluster.as_deref().ok_or_else(|| UriError::NoCluster { uri: uri() })?;
        let (scheme, authority, path) =
            split(&source.uri).ok_or_else(|| UriError::Malformed { uri: uri() })?;
        Ok(Self {
            uri: uri(),
            name: format!("lychgate.keys {cluster} {}", source.uri),
            rules: source.refresh,
            cluster: cluster.to_owned(),
            scheme: scheme.to_owned(),
            authority: authority.to_owned(),
            path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
        })
    }

    /// Begins a fetch. An unknown cluster is an error.
    pub(super) fn call(&self) -> Result<u32, Status> {
        let headers = vec![
            (":method", "GET"),
            (":scheme", self.scheme.as_str()),
            (":authority", self.authority.as_str()),
            (":path", self.path.as_str()),
            ("accept", "application/jwk-set+json, application/json"),
            ("user-agent", "lychgate"),
        ];
        let timeout = Duration::from_millis(self.rules.timeout.0);
        hostcalls::dispatch_http_call(&self.cluster, headers, None, Vec::new(), timeout)
    }
}

/// Scheme, authority, and path with query.
fn split(uri: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = uri.split_once("://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    let is_printable = uri.bytes().all(|byte| byte.is_ascii_graphic()) && !uri.contains('#');
    let is_host = !authority.is_empty() && !authority.contains('@') && !path.starts_with('?');
    (matches!(scheme, "http" | "https") && is_printable && is_host)
        .then_some((scheme, authority, path))
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCluster { uri } => {
                write!(
                    f,
                    "/settings/jwks: no cluster is named for {uri:?}, so Envoy can't fetch it"
                )
            }
            Self::Discovered { issuer } => {
                write!(
                    f,
                    "/settings/discovery: Envoy can't fetch the keys of {issuer:?} without their \
                     address; give jwksUri"
                )
            }
            Self::Malformed { uri } => {
                write!(f, "/settings/jwks: {uri:?} is not of the form http(s)://host[:port]/path")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_split_into_what_a_request_needs() {
        for (uri, parts) in [
            ("https://id.example/keys?v=1", ("https", "id.example", "/keys?v=1")),
            ("http://127.0.0.1:8080", ("http", "127.0.0.1:8080", "")),
            ("https://[::1]:8443/k", ("https", "[::1]:8443", "/k")),
        ] {
            assert_eq!(split(uri), Some(parts), "{uri}");
        }
    }

    #[test]
    fn other_uris_are_refused() {
        for uri in [
            "",
            "id.example/keys",
            "ftp://id.example/",
            "https:///keys",
            "https://u:p@id.example/",
            "https://id.example/a b",
            "https://id.example/#k",
            "https://id.example?x",
            "https://\u{e9}/",
        ] {
            assert_eq!(split(uri), None, "{uri}");
        }
    }
}
