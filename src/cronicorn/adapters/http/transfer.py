"""Everything libcurl is told about one transfer."""

import math
import ssl
from collections.abc import Hashable
from dataclasses import dataclass

import pycurl

from cronicorn.adapters.http.addresses import Peer
from cronicorn.adapters.http.kept import KEPT_S

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


def attempt_options(peer: Peer, port: int, total_s: float, connect_s: float, *, keep: bool) -> dict[int, Hashable]:
    """To go to *peer* alone, within these limits; *keep* leaves the connection open afterwards."""
    return {
        pycurl.CONNECT_TO: (f"::{peer.literal}:{port}",),
        pycurl.TIMEOUT_MS: _milliseconds(total_s),
        pycurl.CONNECTTIMEOUT_MS: _milliseconds(connect_s),
        pycurl.FORBID_REUSE: int(not keep),
        pycurl.FRESH_CONNECT: 0,
    }


def fixed_options(trust: Trust) -> dict[int, Hashable]:
    """What is the same for all transfers."""
    options: dict[int, Hashable] = {
        pycurl.NOSIGNAL: 1,
        pycurl.PROXY: "",
        pycurl.NOPROXY: "*",
        pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
        pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
        pycurl.HTTP09_ALLOWED: 0,
        pycurl.FOLLOWLOCATION: 0,
        pycurl.PATH_AS_IS: 1,
        pycurl.ACCEPT_ENCODING: _accepted_encodings(),
        pycurl.MAXAGE_CONN: KEPT_S,
        pycurl.SSL_VERIFYPEER: 1,
        pycurl.SSL_VERIFYHOST: _HOST_MUST_MATCH,
        pycurl.SSLVERSION: pycurl.SSLVERSION_TLSv1_2,
    }
    if trust.ca_file is not None:
        options[pycurl.CAINFO] = trust.ca_file
    if trust.ca_path is not None:
        options[pycurl.CAPATH] = trust.ca_path
    return options


def _accepted_encodings() -> str:
    features = pycurl.version_info()[4]
    return "gzip, br" if features & pycurl.VERSION_BROTLI else "gzip"


def _milliseconds(seconds: float) -> int:
    return max(1, math.ceil(seconds * _MILLISECONDS))
