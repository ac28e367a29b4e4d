"""One request and its answer on one connection, as libcurl's callbacks see it. None of them may raise."""

import os
import re
import socket
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

import pycurl

from cronicorn.adapters.http.addresses import Peer
from cronicorn.adapters.http.kept import Ends, KeptConnections
from cronicorn.adapters.http.room import is_lack

_STOP_READING = 0
_LINE_OVERHEAD = 32
"""Counted per header line on top of its bytes, so that many tiny lines fill the cap too."""
_SWITCHING_PROTOCOLS = 101
_FINAL_MIN = 200
_STATUS_LINE_PARTS = 2
_BLANK_LINES = (b"\r\n", b"\n")
_STATUS_LINES_REMEMBERED = 64
"""Servers say few; the longest is as long as all headers may be."""
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
    """Collects an answer and guards its connection: the second look at the address, when it is really connected.

    One serves a handle for all its transfers, each of which begins with `begin`.
    """

    __slots__ = (
        "_header_bytes_max", "_kept", "_may_repeat", "_on_new_socket", "_opened", "_owner", "_peer",
        "_progress", "_progress_at", "_sent", "body", "body_bytes_max", "code", "connected", "crash", "ends",
        "header_lines", "header_size", "headers_ended", "message", "status", "stop",
    )  # fmt: skip

    def __init__(self, kept: KeptConnections, owner: object, on_new_socket: Callable[[int], None]) -> None:
        """Of *kept* only the connections of *owner* are used again. *on_new_socket* is told its number."""
        self._kept: Final = kept
        self._owner: Final = owner
        self._on_new_socket: Final = on_new_socket

    def begin(self, peer: Peer, *, may_repeat: bool, body_bytes_max: int, header_bytes_max: int) -> None:
        """Forget the exchange before. *peer* has the checked address, and the only one that may be connected to.

        *may_repeat*: libcurl may send the request again when a kept connection turns out to be dead.
        """
        self._peer = peer
        self._may_repeat = may_repeat
        self.body_bytes_max = body_bytes_max
        self._header_bytes_max = header_bytes_max
        self._opened = False
        self._sent = False
        self._progress = 0
        self._progress_at = 0.0
        self.code = 0
        """That of libcurl at the end."""
        self.message = ""
        self.connected = False
        """Whether a TCP connection had been opened at the end."""
        self.ends: Ends | None = None
        self.status: int | None = None
        self.header_lines: list[bytes] = []
        self.header_size = 0
        self.headers_ended = False
        """Whether the blank line after the last status line came."""
        self.body = bytearray()
        self.stop: Stop | None = None
        self.crash: BaseException | None = None

    def rest(self) -> None:
        """Let go of the answer."""
        self.header_lines = []
        self.body = bytearray()

    def has_stalled(self, now: float, stall_s: float) -> bool:
        """Whether nothing came for *stall_s* in the middle of the answer, as far as who asks now and then can tell."""
        progress = self.header_size + len(self.body)
        if progress != self._progress:
            self._progress, self._progress_at = progress, now
        return progress > 0 and self._progress_at + stall_s < now

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
            self._on_new_socket(fd)
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
            self.header_size += len(line) + _LINE_OVERHEAD
            if self.header_size > self._header_bytes_max:
                self.stop = Stop.HEADERS_TOO_LONG
                return _STOP_READING
            if line.startswith(b"HTTP/"):
                return self._status_line(line)
            if line in _BLANK_LINES:
                self.headers_ended = True
            elif not self.headers_ended:
                self.header_lines.append(line)
        except BaseException as error:  # noqa: BLE001
            return self._crashed(error)
        return None

    def on_body(self, chunk: bytes) -> int | None:
        """Keep the body up to the cap. The first byte beyond it ends the transfer."""
        try:
            room = self.body_bytes_max - len(self.body)
            self.body += chunk[:room]
            if len(chunk) <= room:
                return None
            self.stop = Stop.BODY_FULL
        except BaseException as error:  # noqa: BLE001
            return self._crashed(error)
        return _STOP_READING

    def _status_line(self, line: bytes) -> int | None:
        self.header_lines.clear()
        self.headers_ended = False
        status = _status_of(line)
        if status is not None and status >= _FINAL_MIN:
            self.status = status
            return None
        self.status = None
        if status is None or status == _SWITCHING_PROTOCOLS:
            self.stop = Stop.BAD_STATUS if status is None else Stop.SWITCHED
            return _STOP_READING
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
            self._kept.forget(ends)
            return None
        return None if self._kept.take(self._owner, ends) else Stop.NOT_REUSABLE

    def _is_pinned(self, text: str) -> bool:
        return text == self._peer.text or ip_address(text) == self._peer.address

    def _crashed(self, error: BaseException) -> int:
        self.crash = error
        self.stop = Stop.CRASHED
        return _STOP_READING


@lru_cache(_STATUS_LINES_REMEMBERED)
def _status_of(line: bytes) -> int | None:
    parts = line.split(maxsplit=_STATUS_LINE_PARTS)
    if len(parts) < _STATUS_LINE_PARTS or not _STATUS.fullmatch(parts[1]):
        return None
    return int(parts[1])
