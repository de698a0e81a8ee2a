"""A program with the gate in it: started, asked, and its audit log read. Each host is a column."""

import json
import re
import socket
import subprocess
import time
from dataclasses import dataclass, replace

from . import client
from .cases import PLAINTEXT

START_SECONDS = 60
AUDIT_SECONDS = 5


@dataclass(frozen=True)
class Workload:
    app: str
    namespace: str


WORKLOADS = [
    Workload("payment-processor", "financial-zone"),
    Workload("payment-service", "production"),
    Workload("account-api", "production"),
]


class Host:
    """One process; use it as a context. A subclass has a `name`, a `command()` that may fill
    `ports` with (app, whether TLS) -> port, and the `ways` in which it does otherwise than Envoy."""

    name = ""
    ways = ()

    def __init__(self, folder):
        self.folder = folder
        self.log = folder / f"{self.name}.log"
        self.ports = {(workload.app, secure): free_port() for workload in WORKLOADS for secure in (True, False)}
        self.process = None

    def command(self):
        raise NotImplementedError

    def way(self, case):
        """In what this host does otherwise with a case; None if in nothing."""
        return next((way for way in self.ways if way in case.where), None)

    def adapted(self, case):
        """A case with what must come of it here."""
        return replace(case, **case.where.get(self.way(case), {}))

    def received(self, case):
        """What must have reached the application: a value, or None for a header that must not."""
        return case.upstream

    def __enter__(self):
        command = self.command()
        # Through standard error, which is not buffered.
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        try:
            self.wait_until_it_listens()
        except BaseException:
            self.__exit__()
            raise
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
                    raise SystemExit(f"demo: {self.name} stopped:\n{self.log_tail()}")
                if time.monotonic() > deadline:
                    raise SystemExit(f"demo: {self.name} does not listen after {START_SECONDS} s:\n{self.log_tail()}")
                time.sleep(0.05)

    def log_tail(self):
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-20:])

    def send(self, app, case, request_id):
        secure = case.peer != PLAINTEXT
        tls = client.context(self.folder, case.peer) if secure else None
        return client.send(self.ports[app, secure], case.head(request_id), tls=tls)

    def audit(self, request_id):
        """The record of a request; None if there is none after a while."""
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
