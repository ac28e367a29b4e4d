"""How many API keys a tenant may have."""

from cronicorn.domain.errors import ConflictError

KEYS_MAX = 1_000


def check_keys(there: int, most: int) -> None:
    """Raise ConflictError where a tenant has *most* keys already."""
    if there >= most:
        raise ConflictError(f"The tenant has {there} keys, and {most} are allowed: revoke those that nobody uses.")
