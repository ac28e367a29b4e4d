"""What is different between two bodies, line by line: of bounded size, whatever was answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import unified_diff

LINES_MAX = 400
"""Of each body; the time to compare grows with their product."""
CHARACTERS_MAX = 40_000
SHOWN_MAX = 60
"""Lines of a difference that are shown."""
LINE_MAX = 100
_AROUND = 2
_HEADINGS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferentLine:
    """A line of a difference."""

    mark: str
    """`+` for a new one, `-` for one that is gone, a blank for one beside them, `@` where others are left out."""
    text: str


def difference_of(before: str, after: str) -> Sequence[DifferentLine] | None:
    """The first SHOWN_MAX lines of the difference, none for the same body; None where they are too long to compare."""
    if max(len(before), len(after)) > CHARACTERS_MAX:
        return None
    old, new = before.splitlines(), after.splitlines()
    if max(len(old), len(new)) > LINES_MAX:
        return None
    lines = list(unified_diff(old, new, n=_AROUND, lineterm=""))[_HEADINGS:]
    told = [DifferentLine(mark=line[0], text=_cut(line[1:]) if line[0] != "@" else "…") for line in lines]
    if len(told) > SHOWN_MAX:
        told[SHOWN_MAX:] = [DifferentLine(mark="@", text=f"{len(told) - SHOWN_MAX} lines more")]
    return told


def _cut(line: str) -> str:
    return line if len(line) <= LINE_MAX else f"{line[:LINE_MAX]}…"
