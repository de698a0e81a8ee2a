"""Envoy with one listener for each workload, and its audit log."""

import json
import re
import socket
import subprocess
import time
from dataclasses import dataclass

from . import artefacts

START_SECONDS = 60
AUDIT_SECONDS = 2


@dataclass(frozen=True)
class Workload:
    app: str
    namespace: str


WORKLOADS = [
    Workload("payment-processor", "financial-zone"),
    Workload("payment-service", "production"),
    Workload("account-api", "production"),
]


class Proxy:
    """One Envoy process; use it as a context."""

    def __init__(self, folder, application, key_servers):
        self.folder = folder
        self.log = folder / "envoy.log"
        self.ports = {}
        self.application = application
        self.key_servers = key_servers
        self.process = None

    def __enter__(self):
        path = self.folder / "envoy.json"
        path.write_text(json.dumps(self.configuration(), indent=2))
        # Through standard error, which Envoy does not buffer: --log-path may lag by ten seconds.
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    artefacts.envoy(), "-c", path, "--use-dynamic-base-id", "--concurrency", "1",
                    "--log-level", "warning", "--component-log-level", "wasm:info",
                ],
                stdout=subprocess.DEVNULL, stderr=log,
            )
        self.wait_until_it_listens()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def wait_until_it_listens(self):
        deadline = time.monotonic() + START_SECONDS
        for port in self.ports.values():
            while not accepts(port):
                if self.process.poll() is not None:
                    raise SystemExit(f"demo: Envoy stopped:\n{self.log_tail()}")
                if time.monotonic() > deadline:
                    raise SystemExit(f"demo: Envoy does not listen after {START_SECONDS} s:\n{self.log_tail()}")
                time.sleep(0.05)

    def log_tail(self):
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-20:])

    def audit(self, request_id):
        """The filter's record of a request; None if there is none after a while."""
        deadline = time.monotonic() + AUDIT_SECONDS
        while time.monotonic() < deadline:
            for record in self.records():
                if record.get("correlation_id") == request_id:
                    return record
            time.sleep(0.02)
        return None

    def records(self):
        for line in self.log.read_text(errors="replace").splitlines():
            found = re.search(r'\{"time":.*\}', line)
            if found:
                try:
                    yield json.loads(found.group())
                except json.JSONDecodeError:
                    continue

    def configuration(self):
        listeners = []
        for workload in WORKLOADS:
            filter_entry = json.loads((self.folder / f"{workload.app}.json").read_text())
            for secure in (True, False):
                port = self.ports[workload.app, secure] = free_port()
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


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
