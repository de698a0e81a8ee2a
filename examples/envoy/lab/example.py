"""Checks that envoy.yaml, which people copy, is a configuration that Envoy and the filter accept."""

import subprocess

from . import artefacts


def check(folder):
    """Loads it with this run's files in place of the paths that it names; returns what is wrong."""
    text = (artefacts.HERE / "envoy.yaml").read_text()
    places = {
        "/etc/envoy/lychgate.wasm": artefacts.filter_module(),
        "/etc/envoy/tls/workload.pem": folder / "server.pem",
        "/etc/envoy/tls/workload.key": folder / "server.key",
        "/etc/envoy/tls/mesh-ca.pem": folder / "mesh-ca.pem",
        "/etc/ssl/certs/ca-certificates.crt": folder / "mesh-ca.pem",
    }
    for written, actual in places.items():
        if written not in text:
            return f"{written} is not in envoy.yaml"
        text = text.replace(written, str(actual))
    path = folder / "envoy-example.yaml"
    path.write_text(text)
    command = [artefacts.envoy(), "--mode", "validate", "-c", path, "--log-level", "error"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return "" if result.returncode == 0 else result.stderr.strip() or result.stdout.strip()
