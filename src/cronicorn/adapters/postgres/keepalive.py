"""Noticing that the other end of a connection has vanished, where a statement may take for hours."""

import socket

from cronicorn.adapters.postgres.queries import PlainConnection

_OPTIONS = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 120_000}
"""Asked after a minute of silence; given up after two. Not every system knows all of them."""


def keep_alive(connection: PlainConnection) -> None:
    """Have the system ask the server now and then whether it is still there."""
    own = socket_of(connection)
    if own.family == getattr(socket, "AF_UNIX", None):
        return
    own.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, number in _OPTIONS.items():
        if (option := getattr(socket, name, None)) is not None:
            own.setsockopt(socket.IPPROTO_TCP, option, number)


def socket_of(connection: PlainConnection) -> socket.socket:
    """What *connection* talks through, which the driver has no name for."""
    own = connection._transport.get_extra_info("socket")  # type: ignore[attr-defined]  # noqa: SLF001
    assert own is not None
    return own  # type: ignore[no-any-return]
