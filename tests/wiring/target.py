"""A real HTTP server to be called: it counts its calls and can hold them."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Target:
    """What was called, by idempotency key; calls to `/held` wait for `release`."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.keys: list[str] = []
        self.called_at: list[float] = []
        """When each of them came, in seconds of the monotonic clock."""
        self.release = threading.Event()
        target = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                target.called_at.append(time.monotonic())
                target.keys.append(self.headers["Idempotency-Key"])
                if self.path == "/held":
                    target.release.wait(60)
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                try:
                    self.wfile.write(b"{}")
                except OSError:
                    return

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer((host, 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{host}:{self._server.server_port}"

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.02)

    def close(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def target(host: str = "127.0.0.1") -> Iterator[Target]:
    """A target that listens on *host* inside the block."""
    server = Target(host)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()
