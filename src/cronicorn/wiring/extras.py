"""What is installed only when asked for."""

from importlib.util import find_spec

from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.mechanism import Mechanism

_CLIENTS = {Mechanism.REDIS: ("redis", "redis"), Mechanism.ETCD: ("aetcd", "etcd")}
"""The module that speaks to the service of a mechanism, and the extra that it comes with."""


def require(module: str, extra: str, reason: str) -> None:
    """Raise UnavailableError, saying what to install, when *module* is not there; *reason* says what asks for it."""
    if not _is_there(module):
        raise UnavailableError(
            f"{reason} needs `{module}`, which is not installed: pip install 'cronicorn[{extra}]', "
            f"or in a clone pip install '.[{extra}]'."
        )


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # Not even what it is a part of.
        return False


def require_client(mechanism: Mechanism) -> None:
    """Raise UnavailableError, saying what to install, when what speaks to the service of *mechanism* is not there."""
    if mechanism in _CLIENTS:
        require(*_CLIENTS[mechanism], f"The mechanism {mechanism}")
