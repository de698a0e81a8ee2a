"""An HTTP/1.1 client that sends bytes exactly as a case spells them."""

import json
import socket
import ssl
from dataclasses import dataclass, field

TIMEOUT_SECONDS = 10


@dataclass
class Answer:
    """What came back; `status` is None when TLS refused the connection."""

    status: int | None
    headers: dict = field(default_factory=dict)
    body: bytes = b""

    def upstream_headers(self):
        """What the application received, as (name, value) pairs; empty unless it was asked."""
        if self.status != 200:
            return []
        return [tuple(pair) for pair in json.loads(self.body)["headers"]]


def send(port, head, body=b"", tls=None):
    """Sends one request, `head` as it is, and reads the whole answer."""
    request = head + b"content-length: %d\r\nconnection: close\r\n\r\n" % len(body) + body
    try:
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as plain:
            if tls is None:
                return parse(exchange(plain, request))
            with tls.wrap_socket(plain) as secure:
                return parse(exchange(secure, request))
    except (ssl.SSLError, ConnectionResetError, BrokenPipeError):
        return Answer(None)


def context(folder, certificate=None):
    """TLS that trusts the mesh's authority and presents a certificate, if there is one."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname = False
    tls.load_verify_locations(folder / "mesh-ca.pem")
    if certificate:
        tls.load_cert_chain(folder / f"{certificate}.pem", folder / f"{certificate}.key")
    return tls


def exchange(connection, request):
    connection.sendall(request)
    chunks = []
    while chunk := connection.recv(65536):
        chunks.append(chunk)
    return b"".join(chunks)


def parse(data):
    if not data:
        return Answer(None)
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) if ": " in line else (line, "") for line in lines[1:])
    if headers.get("transfer-encoding") == "chunked":
        body = dechunk(body)
    return Answer(int(lines[0].split(" ")[1]), headers, body)


def dechunk(data):
    body = b""
    while data:
        size, _, rest = data.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            break
        body, data = body + rest[:length], rest[length + 2 :]
    return body
