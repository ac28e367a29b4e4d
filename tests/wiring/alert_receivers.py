"""Real receivers of messages about incidents: an HTTP server that keeps what it gets, and an SMTP server with TLS."""

import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cronicorn.adapters.system_clock import SystemClock
from tests.servers.process import free_port


@dataclass
class Posted:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class HttpReceiver:
    """Keeps what is posted, and answers everything with `status`; GET is the target of an endpoint."""

    url: str = ""
    status: int = 200
    """Of what is posted."""
    target_status: int = 500
    target_body: bytes = b""
    """JSON, or nothing."""
    posted: list[Posted] = field(default_factory=list)

    def at(self, path: str) -> list[Posted]:
        """What was posted to *path*."""
        return [each for each in self.posted if each.path == path]


@contextmanager
def http_receiver() -> Iterator[HttpReceiver]:
    """A receiver that listens inside the block."""
    kept = HttpReceiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            kept.posted.append(Posted(self.path, headers, body))
            self._answer(kept.status)

        def do_GET(self) -> None:
            self._answer(kept.target_status, kept.target_body)

        def _answer(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    kept.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class MailServer:
    """Keeps the mail that it takes, of whoever signs in over TLS."""

    port: int
    ca_file: Path
    """What a client has to trust."""
    mails: list[tuple[list[str], Message]] = field(default_factory=list)

    def login(self, _server: SMTP, session: Session, _envelope: Envelope, _how: str, given: object) -> AuthResult:
        """Let in who knows the password, over TLS."""
        known = isinstance(given, LoginPassword) and (given.login, given.password) == (b"us er", b"p@ss")
        return AuthResult(success=known and session.ssl is not None, handled=False)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a mail."""
        assert isinstance(envelope.content, bytes)
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content)))
        return "250 taken"


@contextmanager
def mail_server(folder: Path) -> Iterator[MailServer]:
    """A server that takes mail inside the block, only after STARTTLS and AUTH."""
    certificate, key = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    kept = MailServer(port=free_port(), ca_file=certificate)
    controller = Controller(
        kept, hostname="127.0.0.1", port=kept.port, tls_context=context, require_starttls=True, auth_required=True,
        authenticator=kept.login,
    )  # fmt: skip
    controller.start()
    try:
        yield kept
    finally:
        controller.stop()


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    now = SystemClock().now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "mail.crt", folder / "mail.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    no_password = serialization.NoEncryption()
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password))
    return paths
