"""Envoy with one listener for each workload."""

import json

from . import artefacts
from .host import WORKLOADS, Host, free_port


class Proxy(Host):
    """One Envoy, with the filter in every listener."""

    name = "Envoy"

    def __init__(self, folder, application, key_servers):
        super().__init__(folder)
        self.application = application
        self.key_servers = key_servers

    def received(self, case):
        # Envoy's own doing: the listeners sanitize it.
        return case.upstream | {"x-forwarded-client-cert": None}

    def command(self):
        path = self.folder / "envoy.json"
        path.write_text(json.dumps(self.configuration(), indent=2))
        # Its log goes to standard error: --log-path may lag by ten seconds.
        return [
            artefacts.envoy(), "-c", path, "--use-dynamic-base-id", "--concurrency", "1",
            "--log-level", "warning", "--component-log-level", "wasm:info",
        ]

    def configuration(self):
        listeners = []
        for workload in WORKLOADS:
            filter_entry = json.loads((self.folder / f"{workload.app}.json").read_text())
            for secure in (True, False):
                port = self.ports[workload.app, secure]
                listeners.append(self.listener(workload, filter_entry, port, secure))
        clusters = [cluster("application", self.application)]
        clusters += [cluster(name, port) for name, port in self.key_servers.items()]
        return {
            "static_resources": {"listeners": listeners, "clusters": clusters},
            "admin": {"address": address(free_port())},
        }

    def listener(self, workload, filter_entry, port, secure):
        chain = {"filters": [connection_manager(workload, filter_entry)]}
        if secure:
            chain["transport_socket"] = self.mutual_tls()
        name = f"{workload.app}-{'mtls' if secure else 'plaintext'}"
        return {"name": name, "address": address(port), "filter_chains": [chain]}

    def mutual_tls(self):
        """A client may come without a certificate: policy decides. One that it shows must be good."""
        certificate = {
            "certificate_chain": {"filename": str(self.folder / "server.pem")},
            "private_key": {"filename": str(self.folder / "server.key")},
        }
        return {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "require_client_certificate": False,
                "common_tls_context": {
                    "tls_certificates": [certificate],
                    "validation_context": {"trusted_ca": {"filename": str(self.folder / "mesh-ca.pem")}},
                },
            },
        }


def connection_manager(workload, filter_entry):
    router = {
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    }
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "application"}}]
    typed_config = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": workload.app,
        "normalize_path": True,
        "forward_client_cert_details": "SANITIZE",
        # The demo finds a request's audit record by the id that it sent.
        "preserve_external_request_id": True,
        "http_filters": [filter_entry, router],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
    }
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": typed_config}


def cluster(name, port):
    endpoint = {"endpoint": {"address": address(port)}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "2s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
