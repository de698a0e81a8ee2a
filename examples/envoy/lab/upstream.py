"""The application behind the gate, and the issuers' key servers: small servers on this machine."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def start(handler):
    """Serves on a free port until the program ends; returns the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def application():
    """Answers every request with what it was sent: method, path and headers, as JSON."""

    class Application(Quiet):
        def answer(self):
            length = int(self.headers.get("content-length") or 0)
            self.rfile.read(length)
            headers = [[name.lower(), value] for name, value in self.headers.items()]
            self.send_json({"method": self.command, "path": self.path, "headers": headers})

        do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer

    return start(Application)


def key_server(text):
    """Serves one key set under every path."""

    class KeyServer(Quiet):
        def do_GET(self):
            self.send_json(json.loads(text))

    return start(KeyServer)


class Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def send_json(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
