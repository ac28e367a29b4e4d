"""Why a plan is what it is: every candidate and step, stored compactly and rendered on reading."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cronicorn.domain.hint import Author
from cronicorn.domain.instant import EPOCH, MICROSECOND, length_of, microseconds_of, shifted

CODE_BYTES_MAX = 199
"""The stored form of a trace is never longer than this."""
AMOUNT_MAX = 999_999
"""Larger amounts are stored as this."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_RADIX = len(_DIGITS)
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]
_PAIR = len(_PAIRS)
"""Numbers are written two digits at a time: half the divisions."""


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
_WHOLE = "-?[0-9a-z]{1,12}"
_STORED = re.compile(
    rf"1{_WHOLE}(?:;[{''.join(Mark)}][{re.escape(''.join(Verdict))}][{''.join(_LETTER_AUTHOR)}]?(?:{_WHOLE})?(?:,{_WHOLE})?)*"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a trace."""

    mark: Mark
    verdict: Verdict
    at: datetime | None = None
    author: Author | None = None
    amount: int = 0
    """A small number that belongs to the step: the failures behind a backoff, how many hints are left out."""


class Trace:
    """The steps that led to a plan made at `now`.

    The stored form and the steps are each made of the other when first asked for. Traces are equal when their stored
    forms are. Once it is in its stored form a trace tells what that says, no more: as if it had been read from a store.
    """

    __slots__ = ("_code", "_told")

    _code: str | None
    _told: tuple[datetime, tuple[Step, ...]] | None

    def __init__(self, now: datetime, steps: tuple[Step, ...]) -> None:
        self._code = None
        self._told = (now, steps)

    @classmethod
    def decode(cls, code: str) -> "Trace":
        """The trace that `encode` stored. Raises ValueError for anything else."""
        if _STORED.fullmatch(code) is None:
            raise ValueError(f"not a trace: {code[:20]!r}")
        trace = cls.__new__(cls)
        trace._code, trace._told = code, None  # noqa: SLF001 - of this class
        return trace

    @property
    def now(self) -> datetime:
        """When the plan was made."""
        return self._read()[0]

    @property
    def steps(self) -> tuple[Step, ...]:
        """What was weighed, in the order in which it spoke."""
        return self._read()[1]

    def encode(self) -> str:
        """The stored form: at most CODE_BYTES_MAX ASCII characters; hints that lost are left out first."""
        told, code = self._told, self._code
        if code is None:
            assert told is not None
            self._code = code = _encoded(*told)
            self._told = None
        return code

    def _read(self) -> tuple[datetime, tuple[Step, ...]]:
        told = self._told
        if told is None:
            told = self._told = _decoded(self.encode())
        return told

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trace) and self.encode() == other.encode()

    def __hash__(self) -> int:
        return str.__hash__(self.encode())

    def __repr__(self) -> str:
        return f"Trace.decode({self.encode()!r})"


def _encoded(now: datetime, told: tuple[Step, ...]) -> str:
    steps = list(told)
    code = _join(now, steps)
    dropped = 0
    while len(code) > CODE_BYTES_MAX:
        steps.pop(_least_telling(steps))
        dropped += 1
        code = _join(now, [*steps, Step(Mark.MORE, Verdict.IDLE, amount=dropped)])
    return code


def _decoded(code: str) -> tuple[datetime, tuple[Step, ...]]:
    head, *rest = code.split(";")
    now = shifted(EPOCH, length_of(_number(head[1:])))
    return now, tuple(_step(now, part) for part in rest)


def _least_telling(steps: list[Step]) -> int:
    """The step to leave out first. What won or moved the run is kept: there are at most seven of these."""
    spare = [index for index, step in enumerate(steps) if step.verdict in {Verdict.LOST, Verdict.IDLE}]
    for marks in ({Mark.HINT_LAPSED}, {Mark.HINT_INTERVAL, Mark.HINT_ONE_SHOT, Mark.DEFER}, set(Mark)):
        for index in reversed(spare):
            if steps[index].mark in marks:
                return index
    return len(steps) - 1


def _join(now: datetime, steps: list[Step]) -> str:
    code = "1" + _base36(microseconds_of(now))
    for step in steps:
        code += _code(now, step)
    return code


def _code(now: datetime, step: Step) -> str:
    code = f";{step.mark}{step.verdict}"
    if step.author is not None:
        code += _AUTHOR_LETTER[step.author]
    if step.at is not None:
        code += _base36((step.at - now) // MICROSECOND)
    return code if not step.amount else f"{code},{_base36(min(max(step.amount, -AMOUNT_MAX), AMOUNT_MAX))}"


def _step(now: datetime, part: str) -> Step:
    mark, verdict, rest = Mark(part[0]), Verdict(part[1]), part[2:]
    author = _LETTER_AUTHOR.get(rest[:1])
    if author is not None:
        rest = rest[1:]
    at_text, _, amount_text = rest.partition(",")
    at = shifted(now, length_of(_number(at_text))) if at_text else None
    return Step(mark, verdict, at, author, _number(amount_text) if amount_text else 0)


def _base36(number: int) -> str:
    if number < 0:
        return f"-{_base36(-number)}"
    text = ""
    while number >= _PAIR:
        number, pair = divmod(number, _PAIR)
        text = _PAIRS[pair] + text
    return (_PAIRS[number] if number >= _RADIX else _DIGITS[number]) + text


def _number(text: str) -> int:
    return int(text, _RADIX)
