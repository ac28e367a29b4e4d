"""Why a plan is what it is: every candidate and step, stored compactly and rendered on reading."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cronicorn.domain.hint import Author
from cronicorn.domain.instant import MICROSECOND, instant_of, microseconds_of

CODE_BYTES_MAX = 199
"""The stored form of a trace is never longer than this."""
AMOUNT_MAX = 999_999
"""Larger amounts are stored as this."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_RADIX = len(_DIGITS)


class Mark(StrEnum):
    """A candidate or a step of the planner; the value is its letter in the stored form."""

    CRON = "c"
    INTERVAL = "i"
    ONCE = "o"
    DORMANT = "d"
    WINDOW = "w"
    HINT_INTERVAL = "I"
    HINT_ONE_SHOT = "O"
    HINT_LAPSED = "x"
    OWED = "k"
    RETRY = "r"
    PAST = "p"
    DEFER = "f"
    CLAMP_MIN = "n"
    CLAMP_MAX = "m"
    PAUSE = "z"
    SUSPENDED = "s"
    MORE = "q"


class Verdict(StrEnum):
    """What became of a candidate or step."""

    WON = "+"
    LOST = "-"
    APPLIED = "!"
    IDLE = "~"


_AUTHOR_LETTER = {Author.SIGNAL: "G", Author.MODEL: "M", Author.RULE: "R", Author.PERSON: "P"}
_LETTER_AUTHOR = {letter: author for author, letter in _AUTHOR_LETTER.items()}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a trace."""

    mark: Mark
    verdict: Verdict
    at: datetime | None = None
    author: Author | None = None
    amount: int = 0
    """A small number that belongs to the step: the failures behind a backoff, how many hints are left out."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The steps that led to a plan made at `now`."""

    now: datetime
    steps: tuple[Step, ...]

    def encode(self) -> str:
        """The stored form: at most CODE_BYTES_MAX ASCII characters; hints that lost are left out first."""
        steps = list(self.steps)
        code = _join(self.now, steps)
        dropped = 0
        while len(code) > CODE_BYTES_MAX:
            steps.pop(_least_telling(steps))
            dropped += 1
            code = _join(self.now, [*steps, Step(Mark.MORE, Verdict.IDLE, amount=dropped)])
        return code

    @classmethod
    def decode(cls, code: str) -> "Trace":
        """The trace that `encode` stored. Raises ValueError for anything else."""
        head, *rest = code.split(";")
        if not head.startswith("1"):
            raise ValueError(f"not a trace: {code[:20]!r}")
        try:
            now = instant_of(_number(head[1:]))
            return cls(now, tuple(_step(now, part) for part in rest))
        except (IndexError, OverflowError) as error:
            raise ValueError(f"not a trace: {code[:20]!r}") from error


def _least_telling(steps: list[Step]) -> int:
    """The step to leave out first. What won or moved the run is kept: there are at most seven of these."""
    spare = [index for index, step in enumerate(steps) if step.verdict in {Verdict.LOST, Verdict.IDLE}]
    for marks in ({Mark.HINT_LAPSED}, {Mark.HINT_INTERVAL, Mark.HINT_ONE_SHOT, Mark.DEFER}, set(Mark)):
        for index in reversed(spare):
            if steps[index].mark in marks:
                return index
    return len(steps) - 1


def _join(now: datetime, steps: list[Step]) -> str:
    return ";".join([f"1{_base36(microseconds_of(now))}", *(_code(now, step) for step in steps)])


def _code(now: datetime, step: Step) -> str:
    author = _AUTHOR_LETTER[step.author] if step.author is not None else ""
    at = _base36((step.at - now) // MICROSECOND) if step.at is not None else ""
    amount = f",{_base36(min(max(step.amount, -AMOUNT_MAX), AMOUNT_MAX))}" if step.amount else ""
    return f"{step.mark.value}{step.verdict.value}{author}{at}{amount}"


def _step(now: datetime, part: str) -> Step:
    mark, verdict, rest = Mark(part[0]), Verdict(part[1]), part[2:]
    author = _LETTER_AUTHOR.get(rest[:1])
    if author is not None:
        rest = rest[1:]
    at_text, _, amount_text = rest.partition(",")
    at = now + timedelta(microseconds=_number(at_text)) if at_text else None
    return Step(mark, verdict, at, author, _number(amount_text) if amount_text else 0)


def _base36(number: int) -> str:
    if number < 0:
        return f"-{_base36(-number)}"
    digits = ""
    while number >= _RADIX:
        number, digit = divmod(number, _RADIX)
        digits = _DIGITS[digit] + digits
    return _DIGITS[number] + digits


def _number(text: str) -> int:
    return int(text, _RADIX)
