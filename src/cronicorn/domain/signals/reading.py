"""`signalled`: what an answer itself says about when to call again. Pure, and total.

Of several intervals that one answer asks for, the order is: what the server says of its limits, Retry-After,
Schedule-Hint, health, hints in the body, trends. Delays and one-shots add up.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from cronicorn.domain.call import Method, Outcome, OutcomeKind
from cronicorn.domain.hint import Author, Hint, HintKind, hint_id
from cronicorn.domain.instant import ZERO, scaled
from cronicorn.domain.json_body import Json
from cronicorn.domain.json_pointer import json_pointer
from cronicorn.domain.signals.body_fields import NOTHING_TOLD, Length, Told, told
from cronicorn.domain.signals.conditional import NOT_MODIFIED_STATUS, SAFE, Validators, validators_in
from cronicorn.domain.signals.cusum import AlarmLevel, Course
from cronicorn.domain.signals.health import Ailment, ailment
from cronicorn.domain.signals.hint_builder import LIFE_MAX, HintBuilder, SignalSource, life_of, shown
from cronicorn.domain.signals.memory import SignalMemory
from cronicorn.domain.signals.protocol import fields_of, heed_freshness, heed_limits, heed_schedule_hint
from cronicorn.domain.signals.schedule_hint import AHEAD_MAX
from cronicorn.domain.signals.signal import DEFAULT, Adapt, Signal, Signals
from cronicorn.domain.signals.trend import trend

BAD_MAX = 30
"""After so many bad answers in a row the baseline is fast enough."""
GOOD_ENOUGH = 2
"""So many good answers in a row end what bad ones began."""
BACKOFF_DOUBLINGS_MAX = 5
"""As in the planner's backoff."""
_OK = 200
_HEALTH_SHARE, _TREND_SHARE, _ETA_SHARE = 5, 4, 3
"""What a bad answer, a number out of its range and a near end divide the base, or the time left, by."""
_NEAR_MINIMA, _NEAR_SHARE = 4, 10
"""An end is near within so many minima, or within this share of the base."""


class Subject(NamedTuple):
    """What signals need to know of the endpoint that answered."""

    method: Method
    base: timedelta | None
    """The interval of an interval schedule; None for any other."""
    interval_min: timedelta | None = None
    interval_max: timedelta | None = None
    signals: Signals = DEFAULT
    chance: Callable[[], float] = float
    """A number in [0, 1) that spreads those who are told to wait; seldom asked for."""


class Answer(NamedTuple):
    """What there is to read."""

    outcome: Outcome
    success: bool
    body: Json
    """ABSENT when there is none, or it is not JSON."""
    failures: int = 0
    """Failed slots in a row, this one included."""


class Note(NamedTuple):
    """For the record: which signal spoke, what it read and what it asked for."""

    signal: Signal
    place: str
    """The name of a field or of a part of the outcome, or a JSON Pointer."""
    value: str
    """Printable, and cut."""
    asked: str


class Signalled(NamedTuple):
    """What an answer says about when to call again."""

    hints: tuple[Hint, ...]
    """To be written, each in the place of its namesake."""
    ended: frozenset[str]
    """Ids of signals' hints that this answer ends, unless it writes them anew."""
    signals: Signals
    """Those that the owner does not listen to end as well."""
    memory: SignalMemory
    """The same object when nothing was learnt."""
    interval_least: timedelta | None = None
    """Where nothing may tighten, no interval of a signal may be shorter from this answer on: the baseline's with its
    backoff, which grows while older hints live."""
    notes: tuple[Note, ...] = ()

    @property
    def cleared(self) -> frozenset[str]:
        """Ids of signals' hints that end now."""
        return (self.ended | _silenced_ids(self.signals)).difference(hint.id for hint in self.hints)


def may_tighten(subject: Subject) -> bool:
    """Whether signals may have *subject* called earlier than its baseline does."""
    adapt = subject.signals.adapt
    if adapt is Adapt.AUTO:
        return subject.interval_min is not None and subject.base is not None and subject.method in SAFE
    return adapt is Adapt.ON


def signalled(subject: Subject, answer: Answer, memory: SignalMemory, now: datetime) -> Signalled:
    """What *answer* makes of the hints and of the *memory* of *subject*. Never raises, whatever was answered."""
    outcome, builder = answer.outcome, _hint_builder(subject, answer, now)
    fields = fields_of(outcome)
    limited = heed_limits(builder, outcome, fields, success=answer.success, limited=memory.limited)
    withdrawn = False
    if fields:
        heed_freshness(builder, subject.method, fields)
        withdrawn = heed_schedule_hint(builder, fields)
    ill = ailment(outcome, answer.body)
    bad, good = _health(builder, memory, ill, success=answer.success)
    unchanged = outcome.status_code == NOT_MODIFIED_STATUS
    values = NOTHING_TOLD if unchanged else told(answer.body)
    _body(builder, values)
    courses = _trend(builder, memory.courses, values) if answer.success else memory.courses
    validators = _validators(subject, answer, memory, fields, ill)
    return Signalled(
        tuple(builder.hints),
        _ended(answer, recovered=answer.success and not bad, withdrawn=withdrawn),
        subject.signals,
        _remembered(memory, validators, (bad, good, limited), courses),
        None if builder.tightens else builder.usual,
        tuple(_note(source, asked) for source, asked in builder.said) if builder.said else (),
    )


def _hint_builder(subject: Subject, answer: Answer, now: datetime) -> HintBuilder:
    base = subject.base if subject.base is not None and subject.base > ZERO else None
    usual = base
    if base is not None and answer.failures > 0:
        usual = scaled(base, 2.0 ** min(answer.failures, BACKOFF_DOUBLINGS_MAX))
    return HintBuilder(
        now=now,
        signals=subject.signals,
        base=base,
        usual=usual,
        tightens=may_tighten(subject),
        interval_min=subject.interval_min,
        interval_max=subject.interval_max,
        chance=subject.chance,
    )


def _health(builder: HintBuilder, memory: SignalMemory, ill: Ailment | None, *, success: bool) -> tuple[int, int]:
    """Look more often while answers are bad. Returns the streaks of bad and good answers with this one."""
    if builder.base is None or not builder.tightens or not builder.signals.speaks(Signal.HEALTH):
        return 0, 0
    if ill is None:
        if not success:
            return memory.bad, memory.good
        good = memory.good + 1
        return (memory.bad, good) if memory.bad and good < GOOD_ENOUGH else (0, 0)
    bad = min(memory.bad + 1, BAD_MAX + 1)
    source = SignalSource(Signal.HEALTH, ill.place, ill.value)
    if bad > BAD_MAX:
        builder.interval(source, builder.base, life_of(builder.base), priority=0)
    else:
        length = builder.base / _HEALTH_SHARE
        builder.interval(source, length, life_of(max(length, builder.least)))
    return bad, 0


def _body(builder: HintBuilder, values: Told) -> None:
    if values.interval is not None and builder.signals.speaks(Signal.BODY_HINT):
        length = _length(values.interval)
        builder.interval(_source(Signal.BODY_HINT, values.interval), length, life_of(length))
    if values.eta is not None and builder.tightens and builder.signals.speaks(Signal.ETA):
        source, ahead = _source(Signal.ETA, values.eta), _length(values.eta)
        builder.one_shot(source, ahead)
        near = max(_NEAR_MINIMA * builder.least, (builder.base or ZERO) / _NEAR_SHARE)
        length = max(ahead / _ETA_SHARE, builder.least)
        if ahead < near and (builder.base is None or length < builder.base):
            builder.interval(source, length, life_of(length))


def _trend(builder: HintBuilder, courses: tuple[Course, ...], values: Told) -> tuple[Course, ...]:
    """Look harder when a number leaves its usual range: once at a warning, for a while at an alarm."""
    base = builder.base
    if base is None or not builder.tightens or not builder.signals.speaks(Signal.TREND):
        return ()
    if not values.measured:
        return courses
    seen = trend(courses, values.measured)
    if seen.look is AlarmLevel.QUIET:
        return seen.courses
    length = max(base / _TREND_SHARE, builder.least)
    if length >= base:
        return seen.courses
    source = SignalSource(Signal.TREND, json_pointer([seen.name]), f"{seen.value:g}")
    if seen.look is AlarmLevel.ALARM:
        builder.interval(source, length, min(scaled(base, _TREND_SHARE), LIFE_MAX))
    else:
        builder.one_shot(source, length)
    return seen.courses


_NO_VALIDATORS = Validators(None, None)


def _validators(
    subject: Subject, answer: Answer, memory: SignalMemory, fields: Mapping[str, str], ill: Ailment | None
) -> Validators:
    """What the next call may be conditional on: a success in which nothing was wrong, so that a 304 is good news."""
    etag, last_modified = fields.get("etag"), fields.get("last-modified")
    unmarked = etag is last_modified is memory.etag is memory.last_modified is None
    if unmarked or subject.method not in SAFE or not subject.signals.speaks(Signal.NOT_MODIFIED):
        return _NO_VALIDATORS
    status, kept = answer.outcome.status_code, Validators(memory.etag, memory.last_modified)
    if status == NOT_MODIFIED_STATUS:
        return kept if answer.success else _NO_VALIDATORS
    if not answer.success:
        return kept
    if status != _OK or ill is not None:
        return _NO_VALIDATORS
    if etag == memory.etag and last_modified == memory.last_modified:
        return kept
    return validators_in(etag, last_modified)


def _remembered(
    memory: SignalMemory, validators: Validators, streaks: tuple[int, int, int], courses: tuple[Course, ...]
) -> SignalMemory:
    bad, good, limited = streaks
    if (
        courses == memory.courses
        and (bad, good, limited) == (memory.bad, memory.good, memory.limited)
        and validators == (memory.etag, memory.last_modified)
    ):
        return memory
    return SignalMemory(
        etag=validators.etag, last_modified=validators.last_modified, bad=bad, good=good, limited=limited,
        courses=courses,
    )  # fmt: skip


def _ids(*signals: Signal, kinds: tuple[HintKind, ...] = tuple(HintKind)) -> frozenset[str]:
    return frozenset(hint_id(Author.SIGNAL, kind, signal) for signal in signals for kind in kinds)


_PACE_IDS = _ids(Signal.RATE_LIMIT, Signal.CACHE_CONTROL) | _ids(Signal.RETRY_AFTER, kinds=(HintKind.INTERVAL,))
"""What the header fields of every answer say anew."""
_BODY_IDS = _ids(Signal.BODY_HINT, Signal.ETA) | _ids(Signal.TREND, kinds=(HintKind.ONE_SHOT,))
"""What every new body says anew."""
_HEALTH_IDS = _ids(Signal.HEALTH)
_SCHEDULE_HINT_IDS = _ids(Signal.SCHEDULE_HINT)
_ANSWER_IDS = _PACE_IDS | _BODY_IDS
_CALM_IDS = _ANSWER_IDS | _HEALTH_IDS
_NO_IDS: frozenset[str] = frozenset()


def _ended(answer: Answer, *, recovered: bool, withdrawn: bool) -> frozenset[str]:
    """The ids of what this answer has put an end to."""
    outcome = answer.outcome
    if outcome.kind is not OutcomeKind.RESPONDED:
        ended = _NO_IDS
    elif answer.success and outcome.status_code != NOT_MODIFIED_STATUS:
        ended = _CALM_IDS if recovered else _ANSWER_IDS
    else:
        ended = _PACE_IDS | _HEALTH_IDS if recovered else _PACE_IDS
    return ended | _SCHEDULE_HINT_IDS if withdrawn else ended


@lru_cache
def _silenced_ids(signals: Signals) -> frozenset[str]:
    """The ids of what the owner does not listen to, or not any more."""
    return _ids(*(signal for signal in Signal if not signals.speaks(signal)))


def _source(signal: Signal, length: Length) -> SignalSource:
    return SignalSource(signal, json_pointer([length.name]), length.shown)


def _length(length: Length) -> timedelta:
    return timedelta(seconds=min(length.seconds, AHEAD_MAX.total_seconds()))


def _note(source: SignalSource, asked: str) -> Note:
    return Note(signal=source.signal, place=source.place, value=shown(source.value), asked=asked)
