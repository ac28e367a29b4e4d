"""Whatever is answered: no exception, no hint below a second, nothing tightened without leave, nothing for long."""

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cronicorn.domain.call import Method, OutcomeKind
from cronicorn.domain.fixtures import MIDNIGHT, an_outcome
from cronicorn.domain.hint import REASON_MAX, Author, HintKind
from cronicorn.domain.json_body import ABSENT
from cronicorn.domain.signals.cusum import begun
from cronicorn.domain.signals.memory import COURSES_MAX, SignalMemory, memory_document, memory_of
from cronicorn.domain.signals.reading import Answer, Subject, may_tighten, signalled
from cronicorn.domain.signals.signal import Adapt, Signal, Signals
from tests.domain.signals.answers import SECOND
from tests.domain.strategies import ODD_LENGTHS, instants

NAMES = [
    "retry-after", "ratelimit", "ratelimit-policy", "ratelimit-remaining", "ratelimit-reset", "x-ratelimit-remaining",
    "x-ratelimit-reset", "schedule-hint", "cache-control", "age", "etag", "last-modified",
]  # fmt: skip
VALUES = [
    "0", "1", "-5", "120", "1e308", "NaN", "9" * 1_000, '"a";r=0;t=60', '"a";r=1;t=999999999999999', '"a";q=1;w=60',
    "interval=0.001", "interval=5;ttl=0.001", "once=0", "defer=1", "interval=999999999999;ttl=999999999999",
    'once="9999-12-31T23:59:59Z"', "defer=@999999999999", "once=@-99999999999", "ttl=0", "max-age=9999999999",
    "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 +2359", "\ud800", '"v1"', "1767225700", "",
]  # fmt: skip
KEYS = [
    "status", "state", "healthy", "poll_after_ms", "next_poll_s", "suggested_interval_ms", "eta_seconds",
    "retry_in_seconds", "estimated_completion_minutes", "latency_ms", "value", "error_rate",
]  # fmt: skip
NUMBERS = [0, 1, -5, 1e308, -1e308, 1e15, 5e-324, 10**400, float("nan"), float("inf"), True, "NaN", "8.5", "9" * 1_000]

headers = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES) | st.text(max_size=20)), max_size=20)
scalars = st.sampled_from(["degraded", "ok", "\ud800", None, False, *NUMBERS]) | st.floats() | st.integers() | st.text()
bodies = (
    st.just(ABSENT)
    | st.dictionaries(st.sampled_from(KEYS) | st.text(), scalars, max_size=12)
    | st.lists(scalars, max_size=3)
    | scalars
)
outcomes = st.builds(
    lambda kind, status, fields: an_outcome(kind=kind, status_code=status, headers=tuple(fields)),
    st.sampled_from([*[OutcomeKind.RESPONDED] * 9, *OutcomeKind]),
    st.sampled_from([None, 200, 204, 301, 304, 404, 429, 500, 503]),
    headers,
)
answers = st.builds(
    Answer, outcome=outcomes, success=st.booleans(), body=bodies, failures=st.integers(0, 40) | st.just(10**9)
)  # fmt: skip
lengths = st.none() | st.sampled_from([*ODD_LENGTHS, 30 * SECOND, 300 * SECOND])
subjects = st.builds(
    Subject,
    method=st.sampled_from(Method),
    base=lengths,
    interval_min=lengths,
    interval_max=lengths,
    signals=st.builds(
        Signals,
        adapt=st.sampled_from(Adapt),
        off=st.frozensets(st.sampled_from(Signal), max_size=2),
        on=st.frozensets(st.sampled_from(Signal), max_size=2),
    ),
    chance=st.floats(0, 1, exclude_max=True).map(lambda chance: lambda: chance),
)
nows = st.just(MIDNIGHT) | instants.filter(lambda now: now < datetime(9999, 12, 30, tzinfo=UTC))


@given(subjects, st.lists(answers, min_size=1, max_size=6), nows)
def test_whatever_is_answered_hints_keep_within_their_limits(
    subject: Subject, heard: list[Answer], now: datetime
) -> None:
    memory = SignalMemory(courses=(begun("value", 8.5),))
    for answer in heard:
        said = signalled(subject, answer, memory, now)
        memory = said.memory
        assert memory_of(json.loads(json.dumps(memory_document(memory)))) == memory
        assert len(memory.courses) <= COURSES_MAX
        assert not {hint.id for hint in said.hints} & said.cleared
        assert len({hint.id for hint in said.hints}) == len(said.hints)
        for hint in said.hints:
            assert hint.author is Author.SIGNAL
            assert subject.signals.speaks(Signal(hint.key))
            assert hint.reason is not None
            assert hint.reason.isprintable()
            assert len(hint.reason) <= REASON_MAX
            assert now < hint.expires_at <= now + timedelta(hours=4)
            assert hint.interval is None or hint.interval >= SECOND
            assert hint.at is None or now + SECOND <= hint.at <= now + timedelta(hours=4)


@given(subjects.filter(lambda subject: not may_tighten(subject)), answers)
def test_without_leave_nothing_comes_earlier_than_the_baseline(subject: Subject, answer: Answer) -> None:
    said = signalled(subject, answer, SignalMemory(bad=3, good=1), MIDNIGHT)

    for hint in said.hints:
        assert hint.kind in {HintKind.DEFER, HintKind.INTERVAL}
        assert hint.interval is None or (subject.base is not None and hint.interval >= subject.base)


@given(subjects, answers)
def test_every_note_is_short_and_printable(subject: Subject, answer: Answer) -> None:
    for note in signalled(subject, answer, SignalMemory(), MIDNIGHT).notes:
        for text in (note.place, note.value, note.asked):
            assert len(text) <= 120
            assert text.isprintable()


@given(subjects, answers)
def test_the_same_answer_means_the_same(subject: Subject, answer: Answer) -> None:
    assert signalled(subject, answer, SignalMemory(), MIDNIGHT) == signalled(subject, answer, SignalMemory(), MIDNIGHT)
