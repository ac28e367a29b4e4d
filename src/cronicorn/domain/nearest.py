"""The name that somebody may have meant."""

from collections.abc import Iterable

_CHARACTERS_MAX = 64


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of *names* that is a slip away from *name*: at most a third of its letters. None when none is."""
    near = [(distance(name, other), other) for other in names if abs(len(name) - len(other)) <= _slips(name)]
    best = min(near, default=None)
    return best[1] if best is not None and best[0] <= _slips(name) else None


def meant_or(name: str, names: Iterable[str], otherwise: str) -> str:
    """The question whether the one of *names* was meant that is near to *name*; *otherwise* where none is."""
    meant = nearest(name, names)
    return f"Did you mean {meant}?" if meant else otherwise


def distance(left: str, right: str) -> int:
    """How many letters are put in, left out or replaced between the two (Levenshtein 1966)."""
    left, right = left[:_CHARACTERS_MAX].lower(), right[:_CHARACTERS_MAX].lower()
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def _slips(name: str) -> int:
    return max(1, len(name) // 3)
