"""What of an answer is compared with earlier ones: its shape, and the coarse value at each path. Pure and bounded.

No value of an answer is kept as it is: shapes and words are short hashes, and numbers are magnitudes. Of what looks
like a secret nothing is kept but that. Paths are kept where they are names.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

from cronicorn.domain.call import Outcome, OutcomeKind
from cronicorn.domain.json_body import ABSENT, Json, number_of, parsed
from cronicorn.domain.masking import looks_secret, secret_members

WORD = re.compile(r"[A-Za-z0-9_.:-]{1,32}")
"""What may be the name of a state."""
STATUS = "status"
"""The path of what is not in the body: how the call ended."""

_DEPTH_MAX = 8
_ITEMS_MAX = 16
"""So many items of a list are looked at."""
_MEMBERS_MAX = 64
"""An object with more members is a table: its keys are data."""
_NODES_MAX = 2_000
_PATHS_MAX = 64
"""So many paths with values are compared."""
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
"""A key that is a name; others are data, and all of them count as one."""
_ID = re.compile(r"[0-9A-Fa-f]{8,}|.*[0-9]{3,}.*")

_TYPES: dict[type, str] = {
    type(None): "null",
    int: "number",
    float: "number",
    str: "text",
    list: "array",
    dict: "object",
    type(ABSENT): "absent",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """One answer, as coarse as it is compared: its fingerprint."""

    shape: str
    """A hash of all paths and the types at them."""
    labels: dict[str, str]
    """The coarse value at each path, by path; of several at one path the first."""


def fingerprint_of(outcome: Outcome) -> Fingerprint:
    """What of *outcome* is compared."""
    types: set[str] = set()
    labels = {STATUS: _ending(outcome)}
    for count, (path, value, named) in enumerate(_walk(parsed(outcome), "", _DEPTH_MAX)):
        if count >= _NODES_MAX:
            break
        types.add(f"{path} {_type(value)}")
        if not isinstance(value, dict | list) and len(labels) <= _PATHS_MAX and path not in labels:
            labels[path] = label_of(value, path, named=named)
    shape = blake2b("\n".join(sorted(types)).encode("utf-8", "surrogatepass"), digest_size=8)
    return Fingerprint(shape=shape.hexdigest(), labels=labels)


def label_of(value: Json, path: str = "", *, named: bool = False) -> str:
    """The coarse value at *path*.

    It is `n+4` for numbers of 16 to 31, `w` and a hash for a word, `text` for prose, `secret` for what looks like one
    or is *named* so by another member, and the type of all else.
    """
    if (
        value is not None
        and not isinstance(value, bool)
        and (named or looks_secret(path, value if isinstance(value, str) else ""))
    ):
        return "secret"
    number = number_of(value)
    if number is not None:
        return magnitude(number)
    if isinstance(value, str):
        return f"w{_hashed(value)}" if WORD.fullmatch(value) and not _ID.fullmatch(value) else "text"
    return str(value).lower() if isinstance(value, bool) else _type(value)


def magnitude(number: float) -> str:
    """The sign of *number*, and the power of two below it."""
    if number == 0:
        return "n0"
    power = max(-64, min(64, math.frexp(abs(number))[1] - 1))
    return f"n{'+' if number > 0 else '-'}{power}"


def neighbours(label: str) -> tuple[str, ...]:
    """The labels that noise makes of *label*: a number's next lower and next higher magnitude."""
    if not label.startswith(("n+", "n-")):
        return (label,)
    sign, power = label[:2], int(label[2:])
    return tuple(f"{sign}{near}" for near in (power - 1, power, power + 1))


def _hashed(word: str) -> str:
    return blake2b(word.encode(), digest_size=6).hexdigest()


def _ending(outcome: Outcome) -> str:
    """How the call ended: the class of its status, or why there is none."""
    if outcome.kind is OutcomeKind.RESPONDED and outcome.status_code is not None:
        return f"{outcome.status_code // 100}xx"
    return outcome.kind.value


def _walk(value: Json, path: str, depth: int, *, named: bool = False) -> Iterator[tuple[str, Json, bool]]:
    yield path, value, named
    if depth == 0:
        return
    if isinstance(value, list):
        for item in value[:_ITEMS_MAX]:
            yield from _walk(item, f"{path}/*", depth - 1, named=named)
    elif isinstance(value, dict):
        is_table, secret = len(value) > _MEMBERS_MAX, secret_members(value)
        for key, child in value.items():
            is_name = not is_table and _KEY.fullmatch(key) is not None and _ID.fullmatch(key) is None
            child_path = f"{path}/{key}" if is_name else f"{path}/*"
            yield from _walk(child, child_path, depth - 1, named=named or key in secret)


def _type(value: Json) -> str:
    """What JSON calls the type of *value*."""
    if isinstance(value, bool):
        return "boolean"
    return _TYPES[type(value)]
