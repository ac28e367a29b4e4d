"""Whether this machine has room to open a socket. When it has none, no target is to blame."""

from errno import EMFILE, ENFILE, ENOBUFS, ENOMEM
from socket import AF_INET, SOCK_DGRAM, socket

from cronicorn.domain.errors import UnavailableError

_LACKS = {EMFILE, ENFILE, ENOBUFS, ENOMEM}


def is_lack(error: OSError) -> bool:
    """Whether *error*, raised for a new socket, says that file descriptors or memory ran out."""
    return error.errno in _LACKS


def has_room() -> bool:
    """Whether a socket could be opened just now: some libraries fail without saying why."""
    try:
        socket(AF_INET, SOCK_DGRAM).close()
    except OSError as error:
        return not is_lack(error)
    return True


def no_room() -> UnavailableError:
    """What a call that can't be made for want of room raises. It names no host: it is logged."""
    return UnavailableError(
        "This machine has no file descriptors or memory left to open a connection; nothing was sent. "
        "Raise its limits (ulimit -n) or let it make fewer calls at once."
    )
