"""Everything libcurl is told about one exchange."""

import math
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import pycurl

from cronicorn.adapters.http.exchange import Exchange
from cronicorn.adapters.http.pools import KEPT_S
from cronicorn.adapters.http.request import IDEMPOTENT, WireRequest, options_of

_HOST_MUST_MATCH = 2
_MILLISECONDS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Which certificate authorities are believed."""

    ca_file: str | None
    ca_path: str | None = None

    @classmethod
    def of_this_machine(cls) -> "Trust":
        """Those that Python's own TLS believes, `SSL_CERT_FILE` and `SSL_CERT_DIR` included."""
        paths = ssl.get_default_verify_paths()
        return cls(ca_file=paths.cafile, ca_path=paths.capath)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One request to one checked address."""

    request: WireRequest
    address: IPv4Address | IPv6Address
    total_s: float
    connect_s: float
    body_bytes_max: int

    @property
    def may_repeat(self) -> bool:
        return self.request.method in IDEMPOTENT

    def options(self, exchange: Exchange, *, fresh: bool, keep: bool) -> Iterator[tuple[int, object]]:
        """*fresh* opens a new connection; *keep* lets it stay open afterwards. Raises InvalidInputError."""
        yield from options_of(self.request)
        literal = f"[{self.address}]" if isinstance(self.address, IPv6Address) else str(self.address)
        yield pycurl.CONNECT_TO, [f"::{literal}:{self.request.target.port}"]
        yield pycurl.TIMEOUT_MS, _milliseconds(self.total_s)
        yield pycurl.CONNECTTIMEOUT_MS, _milliseconds(self.connect_s)
        yield pycurl.FRESH_CONNECT, int(fresh)
        yield pycurl.FORBID_REUSE, int(not keep)
        yield pycurl.OPENSOCKETFUNCTION, exchange.on_open
        yield pycurl.SOCKOPTFUNCTION, exchange.on_opened
        yield pycurl.PREREQFUNCTION, exchange.on_connected
        yield pycurl.HEADERFUNCTION, exchange.on_header
        yield pycurl.WRITEFUNCTION, exchange.on_body


def fixed_options(trust: Trust) -> tuple[tuple[int, object], ...]:
    """What is the same for all transfers. Resetting a handle forgets it."""
    options: list[tuple[int, object]] = [
        (pycurl.NOSIGNAL, 1),
        (pycurl.PROXY, ""),
        (pycurl.NOPROXY, "*"),
        (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
        (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
        (pycurl.HTTP09_ALLOWED, 0),
        (pycurl.FOLLOWLOCATION, 0),
        (pycurl.PATH_AS_IS, 1),
        (pycurl.ACCEPT_ENCODING, _accepted_encodings()),
        (pycurl.MAXAGE_CONN, KEPT_S),
        (pycurl.SSL_VERIFYPEER, 1),
        (pycurl.SSL_VERIFYHOST, _HOST_MUST_MATCH),
        (pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2),
    ]
    if trust.ca_file is not None:
        options.append((pycurl.CAINFO, trust.ca_file))
    if trust.ca_path is not None:
        options.append((pycurl.CAPATH, trust.ca_path))
    return tuple(options)


def _accepted_encodings() -> str:
    features = pycurl.version_info()[4]
    return "gzip, br" if features & pycurl.VERSION_BROTLI else "gzip"


def _milliseconds(seconds: float) -> int:
    return max(1, math.ceil(seconds * _MILLISECONDS))
