"""What looks like a credential in an answer, masked before any model sees it."""

from cronicorn.domain.masking import MASK, looks_secret

_DEPTH_MAX = 32
"""Deeper nobody looks: the whole is masked."""


def without_secrets(value: object, depth: int = _DEPTH_MAX) -> object:
    """A copy of *value*, which is JSON, with a mask in the place of members that look secret by name or by form."""
    if depth == 0:
        return MASK
    match value:
        case dict():
            return {
                name: MASK if looks_secret(str(name), _text(child)) else without_secrets(child, depth - 1)
                for name, child in value.items()
            }
        case list():
            return [without_secrets(child, depth - 1) for child in value]
        case str():
            return MASK if looks_secret("", value) else value
        case _:
            return value


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
