"""What looks like a credential in an answer, masked before any model sees it."""

from collections.abc import Sequence

from cronicorn.domain.masking import MASK, looks_secret, secret_members, without_credentials

_DEPTH_MAX = 32
"""Deeper nobody looks: the whole is masked."""


def without_secrets(value: object, known: Sequence[str] = (), depth: int = _DEPTH_MAX) -> object:
    """A copy of *value*, which is JSON, with a mask in the place of what is secret.

    That is members that look so by name or by form, or because another member names them, and in all texts and names
    what has the form of a credential, and the credentials that are *known*. No truth value is secret, and no null.
    """
    if depth == 0:
        return MASK
    match value:
        case dict():
            named = secret_members(value)
            return {
                without_credentials(str(name), known): (
                    MASK
                    if (name in named or looks_secret(str(name), "")) and not (child is None or isinstance(child, bool))
                    else without_secrets(child, known, depth - 1)
                )
                for name, child in value.items()
            }
        case list():
            return [without_secrets(child, known, depth - 1) for child in value]
        case str():
            shown = without_credentials(value, known)
            return MASK if looks_secret("", shown) else shown
        case int() | float():
            return MASK if str(value) in known else value
        case _:
            return value
