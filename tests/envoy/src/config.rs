//! Envoy configurations.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// What one Envoy runs.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Its listeners.
    pub listeners: Vec<Listener>,
    /// Clusters by name, each one plaintext address.
    pub clusters: Vec<(String, SocketAddr)>,
    /// Those of them that speak HTTP/2.
    pub http2_clusters: Vec<String>,
    /// Worker threads.
    pub concurrency: u32,
    /// Whether listeners come from a file that can be replaced.
    pub dynamic: bool,
    /// Whether to write an access log with Lychgate's filter state.
    pub access_log: bool,
}

impl Setup {
    /// One worker, static listeners.
    #[must_use]
    pub fn new(listeners: Vec<Listener>) -> Self {
        Self {
            listeners,
            clusters: Vec::new(),
            http2_clusters: Vec::new(),
            concurrency: 1,
            dynamic: false,
            access_log: false,
        }
    }

    /// Adds a cluster.
    #[must_use]
    pub fn cluster(mut self, name: &str, address: SocketAddr) -> Self {
        self.clusters.push((name.to_owned(), address));
        self
    }

    /// Adds a cluster that speaks HTTP/2, without being asked whether it does.
    #[must_use]
    pub fn http2_cluster(mut self, name: &str, address: SocketAddr) -> Self {
        self.http2_clusters.push(name.to_owned());
        self.cluster(name, address)
    }

    pub(crate) fn dynamic_listeners(&self) -> Option<Value> {
        self.dynamic.then(|| {
            let typed = |mut listener: Value| {
                listener["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
                listener
            };
            let listeners = self.listeners.iter().map(|l| typed(l.json(None)));
            json!({ "version_info": "1", "resources": listeners.collect::<Vec<_>>() })
        })
    }

    pub(crate) fn bootstrap(&self, folder: &Path) -> Value {
        let access_log = self.access_log.then(|| folder.join("access.log"));
        let cluster = |(name, address): &(String, SocketAddr)| {
            cluster(name, *address, self.http2_clusters.contains(name))
        };
        let clusters: Vec<Value> = self.clusters.iter().map(cluster).collect();
        let mut config = json!({
            "node": { "id": "lychgate-test", "cluster": "lychgate-test" },
            "admin": { "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } } },
            "static_resources": { "clusters": clusters },
        });
        if self.dynamic {
            let source = json!({ "path_config_source": {
                "path": folder.join("lds.json"),
                "watched_directory": { "path": folder } } });
            config["dynamic_resources"] = json!({ "lds_config": source });
        } else {
            let listeners = self.listeners.iter().map(|l| l.json(access_log.as_deref()));
            config["static_resources"]["listeners"] = listeners.collect();
        }
        config
    }
}

/// One listener on a free port.
#[derive(Debug, Clone)]
pub struct Listener {
    /// Its name, by which [`crate::Envoy::listener`] finds its port.
    pub name: String,
    /// Plaintext or TLS.
    pub transport: Transport,
    /// What looks at a connection before its first byte is read, as Envoy's own JSON.
    pub listener_filters: Vec<Value>,
    /// What stands before the router.
    pub filters: Vec<Filter>,
    /// Where requests go.
    pub route: Route,
    /// More settings for the connection manager.
    pub manager: Value,
}

/// How a listener is reached.
#[derive(Debug, Clone)]
pub enum Transport {
    /// Plaintext.
    Plain,
    /// TLS with the certificate of `server`, for clients with certificates of `clients`.
    Tls {
        /// PEM files: certificate chain and key.
        server: (PathBuf, PathBuf),
        /// PEM file: the authority that signs client certificates.
        clients: PathBuf,
        /// Whether a client certificate is demanded; else it is only checked if it comes.
        required: bool,
    },
}

/// Where requests go.
#[derive(Debug, Clone)]
pub enum Route {
    /// To a cluster.
    Cluster(String),
    /// Nowhere: Envoy answers 200 itself.
    Direct,
}

/// An HTTP filter.
#[derive(Debug, Clone)]
pub enum Filter {
    /// Lychgate with this bundle.
    Lychgate(String),
    /// Another build of Lychgate with this bundle, in a VM of its own.
    Build(PathBuf, String),
    /// Another Wasm module without configuration.
    Wasm(PathBuf),
    /// Anything else, as Envoy's own JSON.
    Other(Value),
}

impl Listener {
    /// A plaintext listener with Lychgate on it, whose requests go to the cluster `upstream`.
    #[must_use]
    pub fn lychgate(name: &str, bundle: &Value) -> Self {
        Self {
            name: name.to_owned(),
            transport: Transport::Plain,
            listener_filters: Vec::new(),
            filters: vec![Filter::Lychgate(bundle.to_string())],
            route: Route::Cluster("upstream".to_owned()),
            manager: json!({}),
        }
    }

    /// Lets headers about peers and long header lists of a test arrive; with TLS and with a
    /// connection that says itself where it comes from, as asked.
    #[must_use]
    pub fn for_cases(mut self, tls: Option<&Transport>, proxy_protocol: bool) -> Self {
        self.manager = json!({
            "forward_client_cert_details": "ALWAYS_FORWARD_ONLY",
            "max_request_headers_kb": 1024,
        });
        if proxy_protocol {
            // The connection says who the client is, and no header does.
            self.manager["use_remote_address"] = json!(true);
            let kind = "proxy_protocol.v3.ProxyProtocol";
            self.listener_filters.push(listener_filter("proxy_protocol", kind));
        }
        if let Some(tls) = tls {
            self.transport = tls.clone();
            let kind = "tls_inspector.v3.TlsInspector";
            self.listener_filters.push(listener_filter("tls_inspector", kind));
        }
        self
    }

    fn json(&self, access_log: Option<&Path>) -> Value {
        let mut chain = json!({ "filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": self.manager_json(access_log) }] });
        if let Some(socket) = self.transport.json() {
            chain["transport_socket"] = socket;
        }
        json!({
            "name": self.name,
            "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } },
            "listener_filters": self.listener_filters,
            "filter_chains": [chain],
        })
    }

    fn manager_json(&self, access_log: Option<&Path>) -> Value {
        let mut filters: Vec<Value> = self.filters.iter().map(Filter::json).collect();
        filters.push(typed("envoy.filters.http.router", "http.router.v3.Router", json!({})));
        let host = json!({ "name": "all", "domains": ["*"], "routes": [self.route.json()] });
        let mut manager = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": self.name,
            "preserve_external_request_id": true,
            "max_request_headers_kb": 128,
            "common_http_protocol_options": { "max_headers_count": 4000 },
            "route_config": { "virtual_hosts": [host] },
            "http_filters": filters,
        });
        if let Some(path) = access_log {
            manager["access_log"] = json!([access_log_json(path)]);
        }
        if let (Some(base), Some(more)) = (manager.as_object_mut(), self.manager.as_object()) {
            base.extend(more.clone());
        }
        manager
    }
}

impl Transport {
    fn json(&self) -> Option<Value> {
        let Self::Tls { server: (chain, key), clients, required } = self else { return None };
        Some(json!({
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "require_client_certificate": required,
                "common_tls_context": {
                    "alpn_protocols": ["h2", "http/1.1"],
                    "tls_certificates": [{
                        "certificate_chain": { "filename": chain },
                        "private_key": { "filename": key } }],
                    "validation_context": { "trusted_ca": { "filename": clients } } } } }))
    }
}

impl Route {
    fn json(&self) -> Value {
        match self {
            Self::Cluster(name) => json!({
                "match": { "prefix": "" },
                "route": { "cluster": name, "upgrade_configs": [{ "upgrade_type": "websocket" }] } }),
            Self::Direct => json!({
                "match": { "prefix": "" },
                "direct_response": { "status": 200, "body": { "inline_string": "ok" } } }),
        }
    }
}

impl Filter {
    /// The filter as Envoy's own JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        match self {
            Self::Lychgate(bundle) => wasm(crate::wasm::filter(), "lychgate", Some(bundle)),
            Self::Build(path, bundle) => wasm(path, &path.to_string_lossy(), Some(bundle)),
            Self::Wasm(path) => wasm(path, "other", None),
            Self::Other(value) => value.clone(),
        }
    }
}

/// A Wasm filter as Lychgate's README says: one VM for all listeners, reloaded at once after a trap.
fn wasm(path: &Path, id: &str, configuration: Option<&str>) -> Value {
    let mut plugin = json!({
        "name": id,
        "failure_policy": "FAIL_RELOAD",
        "reload_config": { "backoff": { "base_interval": "0.01s" } },
        "vm_config": {
            "vm_id": id,
            "runtime": "envoy.wasm.runtime.v8",
            "code": { "local": { "filename": path } } } });
    if let Some(text) = configuration {
        plugin["configuration"] =
            json!({ "@type": "type.googleapis.com/google.protobuf.StringValue", "value": text });
    }
    typed("envoy.filters.http.wasm", "http.wasm.v3.Wasm", json!({ "config": plugin }))
}

/// A listener filter's configuration with its type.
#[must_use]
pub fn listener_filter(name: &str, kind: &str) -> Value {
    let kind = format!("type.googleapis.com/envoy.extensions.filters.listener.{kind}");
    json!({ "name": format!("envoy.filters.listener.{name}"), "typed_config": { "@type": kind } })
}

/// An HTTP filter's configuration with its type.
#[must_use]
pub fn typed(name: &str, kind: &str, mut config: Value) -> Value {
    config["@type"] = json!(format!("type.googleapis.com/envoy.extensions.filters.{kind}"));
    json!({ "name": name, "typed_config": config })
}

fn cluster(name: &str, address: SocketAddr, is_http2: bool) -> Value {
    let socket = json!({ "address": address.ip().to_string(), "port_value": address.port() });
    let mut cluster = json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": { "cluster_name": name, "endpoints": [{ "lb_endpoints": [{
            "endpoint": { "address": { "socket_address": socket } } }] }] } });
    if is_http2 {
        let kind = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
        cluster["typed_extension_protocol_options"] = json!({ kind: {
            "@type": format!("type.googleapis.com/{kind}"),
            "explicit_http_config": { "http2_protocol_options": {} } } });
    }
    cluster
}

fn access_log_json(path: &Path) -> Value {
    json!({
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": path,
            "log_format": { "json_format": {
                "id": "%REQ(X-REQUEST-ID)%",
                "status": "%RESPONSE_CODE%",
                "details": "%RESPONSE_CODE_DETAILS%",
                "header": "%REQ(X-LYCHGATE-SUBJECT)%",
                "subject": "%FILTER_STATE(wasm.lychgate.subject:PLAIN)%",
                "peer": "%FILTER_STATE(wasm.lychgate.peer:PLAIN)%",
                "verdict": "%FILTER_STATE(wasm.lychgate.verdict:PLAIN)%" } } } })
}
