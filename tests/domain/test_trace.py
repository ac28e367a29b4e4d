"""Traces are short, and can be read again."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronicorn.domain.explain import explained
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.hint import Author
from cronicorn.domain.trace import AMOUNT_MAX, CODE_BYTES_MAX, Mark, Step, Trace, Verdict
from tests.domain.strategies import instants

SPOKEN = [
    *((mark, verdict) for mark in (
        Mark.CRON, Mark.INTERVAL, Mark.ONCE, Mark.DORMANT, Mark.HINT_INTERVAL, Mark.HINT_ONE_SHOT, Mark.RETRY,
        Mark.OWED,
    ) for verdict in (Verdict.WON, Verdict.LOST)),
    *((mark, verdict) for mark in (Mark.WINDOW, Mark.DEFER, Mark.CLAMP_MIN, Mark.CLAMP_MAX)
      for verdict in (Verdict.APPLIED, Verdict.IDLE)),
    (Mark.HINT_LAPSED, Verdict.LOST), (Mark.PAST, Verdict.APPLIED), (Mark.DEFER, Verdict.LOST),
    (Mark.PAUSE, Verdict.WON), (Mark.PAUSE, Verdict.IDLE), (Mark.SUSPENDED, Verdict.WON), (Mark.MORE, Verdict.IDLE),
]  # fmt: skip
steps = st.builds(
    Step,
    st.sampled_from([mark for mark in Mark if mark is not Mark.MORE]),
    st.sampled_from(Verdict),
    st.one_of(st.none(), instants),
    st.one_of(st.none(), st.sampled_from(Author)),
    st.integers(-AMOUNT_MAX, AMOUNT_MAX),
)


@pytest.mark.parametrize(("mark", "verdict"), SPOKEN)
@pytest.mark.parametrize("at", [None, MIDNIGHT])
@pytest.mark.parametrize("amount", [0, 3])
def test_every_step_that_can_occur_has_words(mark: Mark, verdict: Verdict, at: object, amount: int) -> None:
    trace = Trace(MIDNIGHT, (Step(mark, verdict, at, None, amount),))  # type: ignore[arg-type]

    (step,) = explained(trace)

    assert step.why.endswith(".")
    assert step.step


@given(instants, st.lists(steps, max_size=40))
def test_a_trace_that_fits_is_read_as_it_was_written(now: object, spoken: list[Step]) -> None:
    trace = Trace(now, tuple(spoken))  # type: ignore[arg-type]

    code = trace.encode()

    assert len(code) <= CODE_BYTES_MAX
    read = Trace.decode(code)
    assert read == trace or read.steps[-1].mark is Mark.MORE


@given(instants, st.lists(steps, max_size=40))
def test_a_trace_in_its_stored_form_tells_what_who_reads_it_is_told(now: object, spoken: list[Step]) -> None:
    trace = Trace(now, tuple(spoken))  # type: ignore[arg-type]

    read = Trace.decode(trace.encode())

    assert (trace.now, trace.steps) == (read.now, read.steps)


def test_what_lost_is_left_out_before_what_decided() -> None:
    lost = [Step(Mark.HINT_ONE_SHOT, Verdict.LOST, MIDNIGHT + timedelta(days=i), Author.MODEL) for i in range(16)]
    pause = Step(Mark.PAUSE, Verdict.WON, MIDNIGHT + timedelta(days=1))
    steps = (Step(Mark.INTERVAL, Verdict.WON, MIDNIGHT, None, 5), *lost, pause)

    read = Trace.decode(Trace(MIDNIGHT, steps).encode())

    assert (read.steps[0].mark, read.steps[-2]) == (Mark.INTERVAL, pause)
    assert read.steps[-1].amount == len(steps) - len(read.steps) + 1


@pytest.mark.parametrize(
    "code", ["", "2abc", "1", "1abc;", "1abc;c", "1abc;?+", "1abc;c?", "1zzzzzzzzzzzzzzzzz", "1abc;c+é"]
)
def test_what_is_no_trace_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Trace.decode(code)


@given(st.one_of(st.text(), st.text("1;+-!~cioIOabc09,G")))
def test_reading_any_text_gives_a_trace_or_a_value_error(code: str) -> None:
    try:
        Trace.decode(code)
    except ValueError:
        return
