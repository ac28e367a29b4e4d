"""Where in a JSON body a value stands: the singular queries of RFC 9535, which select at most one."""

import re
from dataclasses import dataclass, field

from cronicorn.domain.json_body import ABSENT, Json
from cronicorn.domain.json_pointer import json_pointer

PATH_CHARACTERS_MAX = 500
STEPS_MAX = 16

_NAME = re.compile(r"\.[ \t\n\r]*([A-Za-z_\u0080-\ud7ff\ue000-\U0010ffff][0-9A-Za-z_\u0080-\ud7ff\ue000-\U0010ffff]*)")
_INDEX = re.compile(r"\[[ \t\n\r]*(0|-?[1-9][0-9]{0,15})[ \t\n\r]*\]")
_QUOTED = re.compile(
    r"""\[[ \t\n\r]*(?:'((?:[^'\\\x00-\x1f]|\\.)*)'|"((?:[^"\\\x00-\x1f]|\\.)*)")[ \t\n\r]*\]""",
)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "/": "/", "\\": "\\"}
_BLANK = " \t\n\r"
_SURROGATES = re.compile("[\ud800-\udfff]")


class PathError(ValueError):
    """A text that is no path; `at` is where it stops being one."""

    def __init__(self, problem: str, at: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.at = at


@dataclass(frozen=True, slots=True)
class Path:
    """A path as it was written, and its steps: names of members and indexes of elements, negative ones from the end."""

    text: str
    steps: tuple[str | int, ...]
    key: str | None = field(init=False, compare=False)
    """The one step of most paths, a member of the body."""

    def __post_init__(self) -> None:
        [first, *more] = self.steps or ("", "")
        object.__setattr__(self, "key", first if isinstance(first, str) and not more else None)

    def found_in(self, body: Json) -> Json:
        """What stands there; ABSENT when nothing does."""
        if self.key is not None:
            return body.get(self.key, ABSENT) if type(body) is dict else ABSENT
        for step in self.steps:
            if isinstance(step, str):
                if type(body) is not dict:
                    return ABSENT
                body = body.get(step, ABSENT)
            elif type(body) is list and -len(body) <= step < len(body):
                body = body[step]
            else:
                return ABSENT
        return body

    @property
    def pointer(self) -> str:
        """The place as a JSON Pointer (RFC 6901). An index from the end stays negative: it has no such pointer."""
        return json_pointer(self.steps)


def path_of(text: str) -> Path:
    """The path that *text* writes. Raises PathError."""
    if len(text) > PATH_CHARACTERS_MAX:
        raise PathError(f"A path has at most {PATH_CHARACTERS_MAX} characters.", PATH_CHARACTERS_MAX)
    if not text.startswith("$"):
        raise PathError("A path begins with $, as in $.status or $.checks[0].state.", 0)
    steps: list[str | int] = []
    at = 1
    while at < len(text):
        begin = at + len(text[at:]) - len(text[at:].lstrip(_BLANK))
        step, at = _step(text, begin)
        steps.append(step)
    if len(steps) > STEPS_MAX:
        raise PathError(f"A path has at most {STEPS_MAX} steps.", 0)
    return Path(text, tuple(steps))


def _step(text: str, at: int) -> tuple[str | int, int]:
    if match := _NAME.match(text, at):
        return match[1], match.end()
    if match := _INDEX.match(text, at):
        return int(match[1]), match.end()
    if match := _QUOTED.match(text, at):
        quote = "'" if match[1] is not None else '"'
        return _unescaped(match[match.lastindex or 1], quote, at), match.end()
    raise PathError(_advice(text, at), at)


def _unescaped(text: str, quote: str, at: int) -> str:
    def replaced(match: re.Match[str]) -> str:
        code = match[1]
        if len(code) > 1:
            return chr(int(code[1:], 16))
        if code == quote:
            return quote
        if code not in _ESCAPED:
            raise PathError(f"\\{code} is no escape of a name; write \\\\ for a backslash.", at)
        return _ESCAPED[code]

    name = _ESCAPE.sub(replaced, text)
    try:
        name = name.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise PathError("Half of a surrogate pair is no character.", at) from None
    return name


def _advice(text: str, at: int) -> str:
    rest = text[at : at + 2]
    if rest.startswith(("..", "[?")) or "*" in text[at : at + 3] or ":" in text[at : at + 8]:
        return "A path names one value: no .., *, slices or filters. Write each step, as in $.checks[0].state."
    if rest == "":
        return "The path ends in blanks; take them out."
    return "Go on with .name, ['name'] or [0]."
