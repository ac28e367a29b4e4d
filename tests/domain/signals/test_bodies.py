"""What bodies say: health, intervals and ends to come."""

import pytest

from cronicorn.domain.call import OutcomeKind
from cronicorn.domain.endpoint import Baseline, EndpointState
from cronicorn.domain.fixtures import MIDNIGHT, an_endpoint, an_outcome
from cronicorn.domain.json_body import Json
from cronicorn.domain.planning import plan_next_run
from cronicorn.domain.signals.body_fields import FIELDS_READ
from cronicorn.domain.signals.reading import Answer
from cronicorn.domain.signals.signal import Adapt, Signals
from tests.domain.signals.answers import CRON, GET, POST, SECOND, after, an_answer, asked, heard, lives
from tests.domain.strategies import CRON as CRON_READER

WORDS = [
    "fail", "failed", "error", "down", "critical", "unhealthy", "degraded", "warn", "warning", "partial", "outage",
    "stalled", "Degraded", " DOWN ",
]  # fmt: skip
BAD = an_answer(body={"status": "degraded"})
GOOD = an_answer(body={"status": "ok"})
TIMEOUT = Answer(
    outcome=an_outcome()._replace(kind=OutcomeKind.TIMED_OUT, status_code=None), success=False, body=None, failures=1
)  # fmt: skip


@pytest.mark.parametrize(
    "answer",
    [
        *(an_answer(body={"status": word}) for word in WORDS),
        an_answer(body={"state": "failed"}),
        an_answer(body={"healthy": False}),
        an_answer(500),
        an_answer(503),
        TIMEOUT,
    ],
)
def test_a_bad_answer_has_the_endpoint_looked_at_five_times_as_often(answer: Answer) -> None:
    assert asked(heard(answer)) == {"interval:health": 60}


@pytest.mark.parametrize(
    "body",
    [
        {"status": "ok"}, {"status": "pass"}, {"status": 500}, {"healthy": True}, {"healthy": 0}, {"healthy": None},
        {"checks": {"status": "fail"}}, ["fail"], "fail", None, {"status": "failsafe"}, {"status": "down" * 1_000},
    ],
)  # fmt: skip
def test_other_words_and_deeper_places_say_nothing(body: Json) -> None:
    assert asked(heard(an_answer(body=body))) == {}


def test_an_answer_that_blames_the_caller_is_neither_good_nor_bad() -> None:
    said = after([BAD, an_answer(404)])

    assert asked(said) == {}
    assert said.memory == heard(BAD).memory
    assert "signal:interval:health" not in said.cleared


def test_health_replaces_the_backoff_of_failures() -> None:
    said = heard(an_answer(503, failures=5))
    state = EndpointState(hints=said.hints, failure_count=5, spaced_from=MIDNIGHT)
    endpoint = an_endpoint(baseline=Baseline(interval=300 * SECOND), interval_min=30 * SECOND, state=state)

    assert plan_next_run(MIDNIGHT, endpoint, CRON_READER).next_run_at == MIDNIGHT + 60 * SECOND


def test_after_thirty_bad_answers_the_baseline_is_fast_enough() -> None:
    intervals = [asked(after([BAD] * count))["interval:health"] for count in (1, 30, 31, 200)]

    assert intervals == [60, 60, 300, 300]


def test_a_long_spell_is_remembered_without_growing() -> None:
    before = after([BAD] * 31).memory

    assert heard(BAD, memory=before).memory is before


def test_two_good_answers_in_a_row_end_the_spell() -> None:
    once, twice = after([BAD, GOOD]), after([BAD, GOOD, GOOD])

    assert "signal:interval:health" not in once.cleared
    assert "signal:interval:health" in twice.cleared
    assert (twice.memory.bad, twice.memory.good) == (0, 0)


def test_a_bad_answer_between_good_ones_prolongs_the_spell() -> None:
    said = after([BAD, GOOD, BAD, GOOD])

    assert (said.memory.bad, said.memory.good) == (2, 1)
    assert "signal:interval:health" not in said.cleared


@pytest.mark.parametrize("subject", [POST, CRON, GET._replace(interval_min=None)])
def test_health_says_nothing_where_nothing_may_tighten(subject: object) -> None:
    assert isinstance(subject, type(GET))
    assert asked(heard(BAD, subject)) == {}


def test_health_speaks_for_any_method_where_the_owner_says_so() -> None:
    subject = POST._replace(interval_min=None, signals=Signals(adapt=Adapt.ON))

    assert asked(heard(an_answer(503), subject)) == {"interval:health": 60}


@pytest.mark.parametrize(
    ("name", "value", "interval"),
    [
        ("suggested_interval_ms", 60_000, 60),
        ("suggested_interval_ms", "60000", 60),
        ("poll_after_ms", 45_000.5, 45.0005),
        ("next_poll_s", 120, 120),
        ("poll_interval_s", 900, 900),
        ("poll_interval_seconds", 60, 60),
        ("poll_interval_minutes", 20, 1_200),
        ("suggested_interval_ms", 1, 30),
        ("suggested_interval_ms", 1e308, 14_400),
        ("poll_interval_minutes", 1e308, 14_400),
        ("suggested_interval_ms", 10**400, None),
        ("suggested_interval_ms", -5, None),
        ("suggested_interval_ms", 0, None),
        ("suggested_interval_ms", "NaN", None),
        ("suggested_interval_ms", float("nan"), None),
        ("suggested_interval_ms", True, None),
        ("suggested_interval_ms", "soon", None),
        ("suggested_interval_ms", [30_000], None),
        ("poll_interval", 60, None),
    ],
)
def test_an_interval_in_the_body_is_heeded_within_bounds(name: str, value: Json, interval: float | None) -> None:
    assert asked(heard(an_answer(body={name: value}))).get("interval:body-hint") == interval


def test_an_interval_in_the_body_lives_for_three_of_it_or_a_quarter_of_an_hour() -> None:
    assert lives(heard(an_answer(body={"poll_after_s": 60}))) == {"interval:body-hint": 900}
    assert lives(heard(an_answer(body={"poll_after_s": 600}))) == {"interval:body-hint": 1_800}


def test_a_quicker_interval_is_not_heeded_where_nothing_may_tighten() -> None:
    assert asked(heard(an_answer(body={"poll_after_s": 60}), POST)) == {}
    assert asked(heard(an_answer(body={"poll_after_s": 600}), POST)) == {"interval:body-hint": 600}


def test_a_new_body_that_asks_for_nothing_ends_what_the_last_one_asked() -> None:
    ids = {"signal:interval:body-hint", "signal:interval:eta", "signal:one-shot:eta"}

    assert ids <= heard(an_answer(body={"status": "idle"})).cleared
    assert not ids & heard(an_answer(304)).cleared
    assert not ids & heard(an_answer(503, body={})).cleared


@pytest.mark.parametrize(
    ("name", "value", "ahead"),
    [
        ("eta_seconds", 900, 900),
        ("eta_seconds", "900", 900),
        ("estimated_completion_seconds", 700.5, 700.5),
        ("estimated_completion_minutes", 15, 900),
        ("retry_in_seconds", 240, 240),
        ("eta_ms", 900_000, 900),
        ("eta_seconds", 0.001, 1),
        ("eta_seconds", 0, None),
        ("eta_seconds", -900, None),
        ("eta_seconds", 1e308, None),
        ("eta_minutes", 1e308, None),
        ("eta_seconds", None, None),
    ],
)
def test_an_end_to_come_has_the_endpoint_called_then(name: str, value: Json, ahead: float | None) -> None:
    assert asked(heard(an_answer(body={name: value}))).get("one-shot:eta") == ahead


@pytest.mark.parametrize(("eta", "interval"), [(130, None), (119, 119 / 3), (60, 30), (3, 30)])
def test_a_near_end_is_approached_in_thirds_down_to_the_minimum(eta: float, interval: float | None) -> None:
    said = asked(heard(an_answer(body={"eta_seconds": eta})))

    assert said.get("interval:eta") == (None if interval is None else pytest.approx(interval))
    assert said["one-shot:eta"] == eta


def test_an_end_to_come_says_nothing_where_nothing_may_tighten() -> None:
    assert asked(heard(an_answer(body={"eta_seconds": 60}), POST)) == {}


def test_only_the_first_fields_of_a_wide_body_are_looked_at() -> None:
    body: dict[str, Json] = {f"field{index}": index for index in range(FIELDS_READ)}

    assert asked(heard(an_answer(body=body | {"poll_after_s": 60}))) == {}
    assert asked(heard(an_answer(body={"poll_after_s": 60} | body))) == {"interval:body-hint": 60}


def test_a_note_says_where_a_signal_read_what() -> None:
    (note,) = heard(an_answer(body={"status": "degraded"})).notes

    assert (note.signal.value, note.place, note.value, note.asked) == (
        "health", "/status", "degraded", "call every 60 s",
    )  # fmt: skip


def test_what_a_note_shows_is_printable_and_cut() -> None:
    (note,) = heard(an_answer(schedule_hint="\x1b[31m" + "x" * 500)).notes

    assert note.value == "\ufffd[31m" + "x" * 95
