"""JSON Pointers (RFC 6901)."""

from collections.abc import Iterable


def json_pointer(steps: Iterable[str | int]) -> str:
    """The pointer to what stands behind *steps*, names of members and places in lists."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)
