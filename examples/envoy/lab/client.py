"""An HTTP/1.1 client that sends bytes exactly as a case spells them."""

import http.client
import json
import socket
import ssl
from dataclasses import dataclass

TIMEOUT_SECONDS = 10


@dataclass
class Answer:
    """What came back; `status` is None when TLS refused, and 0 when nothing came in time."""

    status: int | None
    body: bytes = b""

    def upstream_headers(self):
        """What the application received, as (name, value) pairs; empty unless it was asked."""
        if self.status != 200:
            return []
        return [tuple(pair) for pair in json.loads(self.body)["headers"]]


def send(port, head, body=b"", tls=None):
    """Sends one request, `head` as it is, and reads the answer."""
    request = head + b"content-length: %d\r\nconnection: close\r\n\r\n" % len(body) + body
    try:
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as plain:
            if tls is None:
                return exchange(plain, request)
            with tls.wrap_socket(plain) as secure:
                return exchange(secure, request)
    except (ssl.SSLError, ConnectionResetError, BrokenPipeError):
        return Answer(None)
    except TimeoutError:
        return Answer(0)


def context(folder, certificate=None):
    """TLS that trusts the mesh's authority and presents a certificate, if there is one."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname = False
    tls.load_verify_locations(folder / "mesh-ca.pem")
    if certificate:
        tls.load_cert_chain(folder / f"{certificate}.pem", folder / f"{certificate}.key")
    return tls


def exchange(connection, request):
    """Reads no further than the answer is long: Envoy keeps a refused connection open for a while."""
    connection.sendall(request)
    response = http.client.HTTPResponse(connection)
    response.begin()
    return Answer(response.status, response.read())
