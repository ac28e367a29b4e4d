"""An easy handle of libcurl that is used for one transfer after another."""

from collections.abc import Callable, Hashable

import pycurl

from cronicorn.adapters.http.addresses import Peer
from cronicorn.adapters.http.exchange import Exchange
from cronicorn.adapters.http.kept import KeptConnections
from cronicorn.adapters.http.request import IDEMPOTENT
from cronicorn.domain.call import Call

Options = dict[int, Hashable]
"""Values of libcurl's options by their number."""


class Handle:
    """Stays set up between transfers: of the next one's options only those that differ are set.

    That is safe for a transfer that names the same options as the one before, and only after one that ended well.
    Else everything is forgotten and set anew: no option can be taken back by itself.
    """

    __slots__ = ("_fixed", "_is_sound", "_kept", "_set", "_share", "curl", "exchange")

    def __init__(
        self, share: pycurl.CurlShare, kept: KeptConnections, fixed: Options, on_new_socket: Callable[[int], None]
    ) -> None:
        """All transfers use the connections of *share*, and are set to *fixed*; *on_new_socket* is told its number."""
        self.curl = pycurl.Curl()
        self.curl.setopt(pycurl.SHARE, share)  # No reset takes it away.
        self.exchange = Exchange(kept, share, on_new_socket)
        self._kept = kept
        self._share = share
        self._fixed = fixed
        self._set: Options = {}
        self._is_sound = False

    def begin(self, call: Call, peer: Peer, options: Options, *, header_bytes_max: int) -> None:
        """Get ready for a transfer of *call* to *peer*, which *options* make."""
        self._set_up(options)
        self.exchange.begin(
            peer,
            may_repeat=call.method in IDEMPOTENT,
            body_bytes_max=call.response_bytes_max,
            header_bytes_max=header_bytes_max,
        )

    def end(self, code: int, message: str) -> None:
        """Note how the transfer has ended, in libcurl's words."""
        exchange = self.exchange
        exchange.code = code
        exchange.message = message
        exchange.connected = exchange.ends is not None or self.curl.getinfo(pycurl.CONNECT_TIME) > 0
        if code == pycurl.E_OK:
            self._is_sound = True
            fd = self.curl.getinfo(pycurl.ACTIVESOCKET)
            if fd >= 0 and exchange.ends is not None:
                self._kept.keep(self._share, exchange.ends, fd)

    def rest(self) -> None:
        """Keep no body, sent or received, until the next transfer."""
        self.exchange.rest()
        if self._set.get(pycurl.POSTFIELDS, b"") != b"":
            self.curl.setopt(pycurl.POSTFIELDS, b"")
            self._set[pycurl.POSTFIELDS] = b""

    def close(self) -> None:
        self.curl.close()

    def _set_up(self, options: Options) -> None:
        if not self._is_sound or self._set.keys() != options.keys():
            self._begin_anew()
        self._is_sound = False
        for option, value in options.items() - self._set.items():
            self.curl.setopt(option, value)
            self._set[option] = value

    def _begin_anew(self) -> None:
        self.curl.reset()
        self._set.clear()
        for option, value in self._fixed.items():
            self.curl.setopt(option, value)
        self.curl.setopt(pycurl.OPENSOCKETFUNCTION, self.exchange.on_open)
        self.curl.setopt(pycurl.SOCKOPTFUNCTION, self.exchange.on_opened)
        self.curl.setopt(pycurl.PREREQFUNCTION, self.exchange.on_connected)
        self.curl.setopt(pycurl.HEADERFUNCTION, self.exchange.on_header)
        self.curl.setopt(pycurl.WRITEFUNCTION, self.exchange.on_body)
