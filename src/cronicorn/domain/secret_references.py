"""`{{secret.name}}`, where a request names a secret of its tenant. Pure."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

SECRET_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
SECRET_LENGTH_MIN = 6
"""A shorter text can be guessed, and stands in answers by chance: it could not be hidden in them."""
SECRET_LENGTH_MAX = 8_192

_OPENING = "{{"
_REFERENCE = re.compile(r"\{\{\s{0,8}secret\.([^{}\s]{0,80})\s{0,8}\}\}")
_ALONE = re.compile(rf"(?:[A-Za-z]+ )?{_REFERENCE.pattern}")
_REMEMBERED = 1_024


def named_in(text: str | None) -> frozenset[str]:
    """The secrets that *text* names, as it names them: there may be none of such a name."""
    if text is None or _OPENING not in text:
        return _NOTHING
    return frozenset(_REFERENCE.findall(text))


@lru_cache(_REMEMBERED)
def named_in_headers(headers: tuple[tuple[str, str], ...]) -> frozenset[str]:
    """The secrets that the values of *headers* name."""
    return frozenset(name for _, value in headers for name in named_in(value))


def is_reference(value: str) -> bool:
    """Whether *value* is a reference and, before it, at most a word such as Bearer: it may be shown."""
    return value.endswith("}}") and _ALONE.fullmatch(value) is not None


def is_reference_alone(value: str) -> bool:
    """Whether *value* is a reference and nothing else."""
    return _REFERENCE.fullmatch(value) is not None


def filled(text: str, secrets: Mapping[str, str], written: Callable[[str], str] = str) -> str:
    """*text* with secrets in the place of their references, each as *written* makes it fit. Raises KeyError.

    What a secret itself says is left alone: one can't name another.
    """
    return _REFERENCE.sub(lambda match: written(secrets[match[1]]), text)


_NOTHING: frozenset[str] = frozenset()
