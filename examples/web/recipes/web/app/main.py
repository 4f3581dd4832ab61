"""A web service that says hello, and /health for whoever watches it."""

import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        known = {"/": b"hello from remint\n", "/health": b"ok\n"}
        body = known.get(self.path)
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(body or b"not found\n")


if __name__ == "__main__":
    # The first process of a container ends only by signals that it handles.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ThreadingHTTPServer(("", 8000), Hello).serve_forever()
