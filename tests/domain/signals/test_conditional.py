"""Conditional requests, and the 304 that answers them."""

import pytest

from cronicorn.domain.call import Method
from cronicorn.domain.signals.conditional import conditional_headers
from cronicorn.domain.signals.memory import SignalMemory
from cronicorn.domain.signals.signal import Adapt, Signal, Signals
from tests.domain.signals.answers import BLANK, GET, POST, after, an_answer, heard

DATE = "Thu, 01 Jan 2026 00:00:00 GMT"
TAGGED = an_answer(body={"status": "ok"}, etag='"v1"', last_modified=DATE)
KNOWN = heard(TAGGED).memory


def test_the_validators_of_a_success_make_the_next_call_conditional() -> None:
    assert conditional_headers(KNOWN, Method.GET, Signals()) == (
        ("If-None-Match", '"v1"'),
        ("If-Modified-Since", DATE),
    )


def test_an_endpoint_that_never_answered_is_asked_without_conditions() -> None:
    assert conditional_headers(BLANK, Method.GET, Signals()) == ()


@pytest.mark.parametrize("signals", [Signals(off=frozenset({Signal.NOT_MODIFIED})), Signals(adapt=Adapt.OFF)])
def test_conditions_can_be_switched_off(signals: Signals) -> None:
    assert conditional_headers(KNOWN, Method.HEAD, signals) == ()
    assert heard(TAGGED, GET._replace(signals=signals)).memory.etag is None


def test_only_safe_methods_are_conditional() -> None:
    assert conditional_headers(KNOWN, Method.POST, Signals()) == ()
    assert heard(TAGGED, POST).memory is BLANK


@pytest.mark.parametrize(
    ("etag", "kept"),
    [('W/"v2"', True), ('""', True), ("v2", False), ('"a"b"', False), ('"\r\nx"', False), ('"ü"', False)],
)
def test_a_malformed_entity_tag_is_none(etag: str, kept: bool) -> None:  # noqa: FBT001
    assert heard(an_answer(etag=etag)).memory.etag == (etag if kept else None)


@pytest.mark.parametrize("value", ["yesterday", DATE + "\r\nX: y", "x" * 5_000, ""])
def test_a_malformed_date_is_none(value: str) -> None:
    assert heard(an_answer(last_modified=value)).memory.last_modified is None


def test_an_entity_tag_is_at_most_256_characters() -> None:
    assert heard(an_answer(etag=f'"{"x" * 254}"')).memory.etag is not None
    assert heard(an_answer(etag=f'"{"x" * 255}"')).memory.etag is None


def test_a_304_keeps_the_validators_and_remembers_nothing_else() -> None:
    assert heard(an_answer(304), memory=KNOWN).memory is KNOWN


def test_a_success_without_validators_forgets_those_of_the_last() -> None:
    assert heard(an_answer(), memory=KNOWN).memory.etag is None


def test_a_failure_keeps_the_validators() -> None:
    assert heard(an_answer(404), memory=KNOWN).memory.etag == '"v1"'


def test_an_answer_in_which_something_is_wrong_is_asked_for_in_full_again() -> None:
    said = heard(an_answer(body={"status": "degraded"}, etag='"v2"'), memory=KNOWN)

    assert (said.memory.etag, said.memory.last_modified) == (None, None)


def test_a_304_repeats_a_good_answer_and_counts_as_one() -> None:
    said = after([TAGGED, an_answer(503), an_answer(304), an_answer(304)])

    assert said.memory.bad == 0
    assert "signal:interval:health" in said.cleared


def test_a_304_that_is_no_success_ends_the_conditions() -> None:
    answer = an_answer(304)._replace(success=False)

    assert heard(answer, memory=KNOWN).memory.etag is None


def test_a_304_is_no_sample_of_a_trend() -> None:
    memory = heard(an_answer(body={"latency_ms": 5}, etag='"v1"')).memory

    assert heard(an_answer(304, body={"latency_ms": 900}), memory=memory).memory is memory
    assert memory != SignalMemory()
