"""What an owner declared secret, replaced by a keyed hash: equal values stay equal, and nobody can tell which.

Without a key there is no hash, and all secrets look the same.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

REDACTED = "~redacted"
"""What every replacement starts with; a colon and the hash follow."""
KEY_BYTES_MIN = 16
KEY_BYTES_MAX = 64

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """What of an answer is secret."""

    body: tuple[str, ...] = ()
    """JSON Pointers (RFC 6901) into the body; the part `*` stands for every member, and an empty pointer for all."""
    headers: tuple[str, ...] = ()
    """Names, in any case."""


NOTHING_SECRET = Redaction()


def redacted_body(body: str, redaction: Redaction, key: bytes | None) -> str:
    """*body* with a hash in the place of what is secret, by the *key* of the installation.

    It fails closed: a body that is not JSON which others could read too, or was cut, is secret as a whole as soon as
    any pointer is declared.
    """
    if not redaction.body:
        return body
    try:
        value = json.loads(body)
        for pointer in redaction.body:
            value = _replaced(value, _parts(pointer), key)
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        text.encode()
    except (RecursionError, ValueError):
        return _hashed(body, key)
    return text


def redacted_headers(headers: Iterable[tuple[str, str]], redaction: Redaction, key: bytes | None) -> Headers:
    """*headers* with a hash in the place of the values that are secret."""
    secret = {name.lower() for name in redaction.headers}
    return tuple((name, _hashed(text, key) if name.lower() in secret else text) for name, text in headers)


def _parts(pointer: str) -> tuple[str, ...]:
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def _replaced(value: object, parts: tuple[str, ...], key: bytes | None) -> object:
    """A copy of *value* in which what *parts* lead to is hashed; what leads nowhere changes nothing."""
    if not parts:
        return _hashed(value, key)
    first, rest = parts[0], parts[1:]
    match value:
        case dict():
            return {
                name: _replaced(child, rest, key) if first in {name, "*"} else child for name, child in value.items()
            }
        case list():
            return [
                _replaced(child, rest, key) if first in {str(index), "*"} else child
                for index, child in enumerate(value)
            ]
        case _:
            return value


def _hashed(value: object, key: bytes | None) -> str:
    if key is None:
        return REDACTED
    return f"{REDACTED}:{blake2b(json.dumps(value, sort_keys=True).encode(), key=key, digest_size=8).hexdigest()}"
