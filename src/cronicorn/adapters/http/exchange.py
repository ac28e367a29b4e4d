"""One request and its answer on one connection, as libcurl's callbacks see it. None of them may raise."""

import os
import re
import socket
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

import pycurl

from cronicorn.adapters.http.pools import Ends, Pool
from cronicorn.adapters.http.room import is_lack

_STOP_READING = 0
_LINE_OVERHEAD = 32
"""Counted per header line on top of its bytes, so that many tiny lines fill the cap too."""
_SWITCHING_PROTOCOLS = 101
_FINAL_MIN = 200
_STATUS_LINE_PARTS = 2
_STATUS = re.compile(rb"[1-5][0-9]{2}")
"""RFC 9110, section 15: three digits, from 100 to 599."""


class Stop(StrEnum):
    """Why we ended a transfer ourselves."""

    BODY_FULL = "body_full"
    HEADERS_TOO_LONG = "headers_too_long"
    SWITCHED = "switched"
    BAD_STATUS = "bad_status"
    REFUSED = "refused"
    NOT_REUSABLE = "not_reusable"
    SENT_ALREADY = "sent_already"
    NO_SOCKET = "no_socket"
    STALLED = "stalled"
    CLOSING = "closing"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeLimits:
    """How much of an answer is read."""

    body_bytes: int
    header_bytes: int


class _Handover:
    """A new socket on its way to libcurl, which takes a duplicate of the descriptor and drops this object."""

    __slots__ = ("_fd",)

    def __init__(self, opened: socket.socket) -> None:
        self._fd = opened.detach()

    def fileno(self) -> int:
        return self._fd

    def __del__(self) -> None:
        os.close(self._fd)


class Exchange:
    """Collects an answer and guards its connection: the second look at the address, when it is really connected."""

    __slots__ = (
        "_clock", "_in_headers", "_limits", "_may_repeat", "_opened", "_pinned", "_pinned_text", "_pool", "_sent",
        "body", "crash", "ends", "header_lines", "header_size", "status", "stop", "touched_at",
    )  # fmt: skip

    def __init__(
        self,
        *,
        pinned: IPv4Address | IPv6Address,
        pool: Pool,
        limits: ExchangeLimits,
        may_repeat: bool,
    ) -> None:
        """*pinned* is the checked address, and the only one this exchange may connect to.

        *may_repeat*: libcurl may send the request again when a kept connection turns out to be dead.
        """
        self._pinned: Final = pinned
        self._pinned_text: Final = str(pinned)
        self._pool: Final = pool
        self._limits: Final = limits
        self._may_repeat: Final = may_repeat
        self._clock: Final = pool.clock
        self._opened = False
        self._sent = False
        self._in_headers = True
        self.ends: Ends | None = None
        self.status: int | None = None
        self.header_lines: list[bytes] = []
        self.header_size = 0
        self.body = bytearray()
        self.stop: Stop | None = None
        self.crash: BaseException | None = None
        self.touched_at: float | None = None

    def on_open(self, purpose: int, address: tuple[int, int, int, tuple[object, ...]]) -> "_Handover | int":
        """Open a socket for the address libcurl is about to connect to, if it is the checked one."""
        try:
            family, kind, protocol, peer = address
            if not self._is_pinned(str(peer[0])):
                self.stop = Stop.REFUSED
                return pycurl.SOCKET_BAD
            return self._handed_over(socket.socket(family, kind, protocol))
        except OSError as error:  # Others, such as an address family that this machine lacks, are failures to connect.
            self.stop = self._no_socket() if is_lack(error) else None
        except BaseException as error:  # noqa: BLE001 - a callback must not raise; `perform` raises it again
            self._crashed(error)
        return pycurl.SOCKET_BAD

    def on_opened(self, fd: int, purpose: int) -> int:
        """Keep *fd* from child processes: libcurl's duplicate has lost that mark."""
        try:
            os.set_inheritable(fd, False)  # noqa: FBT003 - the name says it
            self.stop = None
        except BaseException as error:  # noqa: BLE001
            self._crashed(error)
            return pycurl.SOCKOPT_ERROR
        return pycurl.SOCKOPT_OK

    def on_connected(self, remote: str, local: str, remote_port: int, local_port: int) -> int:
        """Let the request go out, or not: called for every request, also on a connection that is used again."""
        try:
            self.ends = (remote, local, remote_port, local_port)
            self.stop = self._objection(remote, self.ends)
        except BaseException as error:  # noqa: BLE001
            self._crashed(error)
        if self.stop is not None:
            return pycurl.PREREQFUNC_ABORT
        self._sent = True
        return pycurl.PREREQFUNC_OK

    def on_header(self, line: bytes) -> int | None:
        """Note one line of a header block, of which interim answers (1xx) have their own."""
        try:
            self.touched_at = self._clock()
            self.header_size += len(line) + _LINE_OVERHEAD
            if self.header_size > self._limits.header_bytes:
                self.stop = Stop.HEADERS_TOO_LONG
                return _STOP_READING
            return self._header(line.rstrip(b"\r\n"))
        except BaseException as error:  # noqa: BLE001
            return self._crashed(error)

    def on_body(self, chunk: bytes) -> int | None:
        """Keep the body up to the cap. The first byte beyond it ends the transfer."""
        try:
            self.touched_at = self._clock()
            room = self._limits.body_bytes - len(self.body)
            self.body += chunk[:room]
            if len(chunk) <= room:
                return None
            self.stop = Stop.BODY_FULL
        except BaseException as error:  # noqa: BLE001
            return self._crashed(error)
        return _STOP_READING

    def _header(self, line: bytes) -> int | None:
        if line.startswith(b"HTTP/"):
            return self._status_line(line)
        if not line:
            self._in_headers = False
        elif self._in_headers:
            self.header_lines.append(line)
        return None

    def _status_line(self, line: bytes) -> int | None:
        parts = line.split(maxsplit=_STATUS_LINE_PARTS)
        self.header_lines.clear()
        self._in_headers = True
        self.status = None
        if len(parts) < _STATUS_LINE_PARTS or not _STATUS.fullmatch(parts[1]):
            self.stop = Stop.BAD_STATUS
            return _STOP_READING
        status = int(parts[1])
        if status == _SWITCHING_PROTOCOLS:
            self.stop = Stop.SWITCHED
            return _STOP_READING
        self.status = status if status >= _FINAL_MIN else None
        return None

    def _handed_over(self, opened: socket.socket) -> _Handover:
        self._opened = True
        self.stop = self._no_socket()  # Until `on_opened` shows that there was room for libcurl's duplicate too.
        return _Handover(opened)

    def _no_socket(self) -> Stop:
        """Why it ends for want of a socket: a request that went out on a kept connection may have been received."""
        return Stop.SENT_ALREADY if self._sent else Stop.NO_SOCKET

    def _objection(self, remote: str, ends: Ends) -> Stop | None:
        if not self._is_pinned(remote):
            return Stop.REFUSED
        if self._sent and not self._may_repeat:
            return Stop.SENT_ALREADY
        if self._opened:
            self._opened = False
            self._pool.forget(ends)
            return None
        return None if self._pool.take(ends) else Stop.NOT_REUSABLE

    def _is_pinned(self, text: str) -> bool:
        return text == self._pinned_text or ip_address(text) == self._pinned

    def _crashed(self, error: BaseException) -> int:
        self.crash = error
        self.stop = Stop.CRASHED
        return _STOP_READING
