"""What is installed only when asked for."""

from importlib.util import find_spec

from cronicorn.domain.errors import UnavailableError


def require(module: str, extra: str, reason: str) -> None:
    """Raise UnavailableError, saying what to install, when *module* is not there; *reason* says what asks for it."""
    if find_spec(module) is None:
        raise UnavailableError(
            f"{reason} needs `{module}`, which is not installed: pip install 'cronicorn[{extra}]', "
            f"or in a clone pip install '.[{extra}]'."
        )
