"""The socket the API listens on."""

import errno
import socket

from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.sentence import as_sentence

_BACKLOG = 1_024


def listen(host: str, port: int, *, option: str = "port") -> socket.socket:
    """A listening socket on *host* and *port* (0: a free one).

    Raises UnavailableError that says what is in the way, and with which command-line *option* to choose another port.
    """
    where = f"{host}:{port}" if ":" not in host else f"[{host}]:{port}"
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise UnavailableError(f"Can't listen on {where}: {_why(error, option)}") from error
    # asyncio switches off Nagle's delay only where the protocol is named, and an answer would wait 40 ms for it.
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=listening.detach())


def url_of(listening: socket.socket) -> str:
    """Where a client on this machine finds *listening*."""
    return url_at(*listening.getsockname()[:2])


def url_at(host: str, port: int) -> str:
    """Where a client on this machine finds what listens on *host* and *port*."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (nothing is bound here)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _why(error: OSError, option: str) -> str:
    another = f"choose another with --{option} or CRONICORN_{option.upper().replace('-', '_')}."
    match error.errno:
        case errno.EADDRINUSE:
            return f"the port is in use. Stop what listens there, or {another}"
        case errno.EACCES:
            return f"ports below 1024 are reserved: {another}"
        case _:
            said = as_sentence(error.strerror or str(error))
            return f"{said} Choose an address of this machine with --host or CRONICORN_HOST."
