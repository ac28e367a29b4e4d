"""What endpoints answer in a simulation, and what keeps an answer away."""

import json

import pytest

from cronicorn.domain.call import OutcomeKind
from tests.sim.scenarios import bodies, document, read, run, times


def stock(**parts):
    return {"name": "stock", "every": "60s", "adapt": "off", **parts}


def outcomes(simulated, endpoint="stock"):
    return [call.run.outcome for call in simulated.chronicle.of(endpoint) if call.run is not None]


def test_a_body_is_filled_at_the_moment_of_the_call():
    body = {"load": "=load", "deep": [{"hot": "=load > 100"}, "==x", None, 1.5], "word": '=load > 100 ? "hot" : "ok"'}

    simulated = run(endpoints=[stock(answers={"body": body})], signals={"load": {"ramp": {"0m": 0, "10m": 600}}})

    first, second, *_ = (json.loads(body or "") for body in bodies(simulated))
    assert first["load"] == pytest.approx(60, abs=0.1)
    assert first["deep"] == [{"hot": False}, "=x", None, 1.5]
    assert (first["word"], second["word"]) == ("ok", "hot")


def test_whole_numbers_have_no_fraction_and_what_is_no_number_is_null():
    simulated = run(endpoints=[stock(answers={"body": ["=a", "=a / 0", "=a / 8"]})], signals={"a": 4})

    assert bodies(simulated)[0] == "[4, null, 0.5]"


def test_the_first_case_that_holds_is_answered():
    cases = [{"when": "elapsed < 90", "status": 500}, {"when": "elapsed < 150", "text": "no JSON"}]

    simulated = run(endpoints=[stock(answers=cases, success=["200", 500])], length="4m")

    first, second, third = outcomes(simulated)
    assert (first.status_code, first.body) == (500, None)
    assert (second.status_code, second.body, second.body_is_json) == (200, "no JSON", False)
    assert (third.status_code, third.body) == (200, None)


def test_a_call_changes_state_before_it_is_answered():
    count = {"n": {"start": 0, "changes": [{"call": "stock", "add": 1}]}}

    simulated = run(endpoints=[stock(answers={"body": "=n"})], state=count, length="3m30s")

    assert bodies(simulated) == ["1", "2", "3"]


def test_headers_and_status_may_be_worked_out():
    answers = {"status": "=wait > 0 ? 429 : 200", "headers": {"Retry-After": "=wait", "x-flag": True}}

    simulated = run(endpoints=[stock(answers=answers)], signals={"wait": 90}, length="2m")

    [outcome] = outcomes(simulated)
    assert outcome.status_code == 429
    assert outcome.headers == (("retry-after", "90"), ("x-flag", "true"))


def test_a_wait_is_told_in_whole_seconds_and_heeded():
    answers = [{"when": "wait > 0", "status": 429, "headers": {"Retry-After": "=wait"}}, {}]

    simulated = run(
        endpoints=[stock(answers=answers, adapt="auto", min="10s")],
        signals={"wait": "=elapsed < 150 ? 150 - elapsed : 0"},
    )

    assert outcomes(simulated)[0].headers == (("retry-after", "90"),)
    assert times(simulated)[:2] == [60, 150]


def test_what_takes_longer_than_the_timeout_has_timed_out():
    simulated = run(endpoints=[stock(timeout="5s", answers={"latency": "8s"})], length="2m")

    [outcome] = outcomes(simulated)
    assert outcome.kind is OutcomeKind.TIMED_OUT
    assert outcome.duration.total_seconds() == 5


def test_latencies_are_drawn_for_each_call():
    simulated = run(endpoints=[stock(answers={"latency": {"min": "100ms", "max": "2s"}})])

    took = [outcome.duration.total_seconds() for outcome in outcomes(simulated)]
    assert all(0.1 <= each < 2 for each in took)
    assert len(set(took)) == len(took)


def test_an_answer_that_the_caller_has_is_not_sent_again():
    answers = {"headers": {"etag": """=elapsed < 150 ? '"a"' : '"b"'"""}, "body": {"n": 1}}

    simulated = run(endpoints=[stock(adapt="auto", answers=answers)], length="4m30s")

    assert [outcome.status_code for outcome in outcomes(simulated)] == [200, 304, 200, 304]


@pytest.mark.parametrize(
    ("outage", "kind"),
    [
        ({"fail": "refused"}, OutcomeKind.UNREACHABLE),
        ({"fail": "timeout"}, OutcomeKind.TIMED_OUT),
        ({"fail": "unresolved"}, OutcomeKind.UNRESOLVED),
        ({"fail": "broken"}, OutcomeKind.BROKEN),
        ({"fail": "tls"}, OutcomeKind.TLS_FAILED),
        ({"status": 502}, OutcomeKind.RESPONDED),
    ],
)
def test_an_outage_has_a_beginning_an_end_and_a_way(outage, kind):
    simulated = run(
        endpoints=[stock(), {"name": "other", "every": "60s"}], length="4m30s",
        outages=[{"from": "90s", "until": "150s", "endpoints": ["stock"], **outage}],
    )  # fmt: skip

    assert [outcome.kind for outcome in outcomes(simulated)][:2] == [OutcomeKind.RESPONDED, kind]
    assert outcomes(simulated)[-1].status_code == 200
    assert {outcome.status_code for outcome in outcomes(simulated, "other")} == {200}


def test_an_outage_tells_when_to_come_again():
    simulated = run(outages=[{"from": "0s", "until": "90s", "status": 503, "retry_after": "150s"}])

    assert outcomes(simulated)[0].headers == (("retry-after", "150"),)
    assert times(simulated)[:2] == [60, 210]


def test_calls_that_an_outage_swallows_change_nothing():
    count = {"n": {"start": 0, "changes": [{"call": "stock", "add": 1}]}}

    simulated = run(
        endpoints=[stock(answers={"body": "=n"})], state=count, length="5m30s",
        outages=[{"from": "90s", "until": "190s", "fail": "refused"}],
    )  # fmt: skip

    assert bodies(simulated)[-1] == str(len(times(simulated)) - sum(90 <= time < 190 for time in times(simulated)))


def test_an_outage_may_take_only_a_share_of_the_calls():
    simulated = run(
        endpoints=[stock(every="1s")], length="1000s", outages=[{"from": "0s", "status": 500, "share": 0.3}]
    )

    failed = sum(outcome.status_code == 500 for outcome in outcomes(simulated))
    assert 0.24 <= failed / len(outcomes(simulated)) <= 0.36


def test_copies_are_endpoints_of_their_own():
    scenario = read(document(endpoints=[{"name": "stock", "copies": 3, "every": "60s"}]))

    assert [each.endpoint.name for each in scenario.endpoints] == ["stock-1", "stock-2", "stock-3"]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({"every": "3m"}, [180, 360, 540]),
        ({"every": "3m", "phase": "1m"}, [60, 240, 420]),
        ({"cron": "*/4 * * * *"}, [240, 480]),
        ({"once": "5m"}, [300]),
        ({"dormant": True}, []),
        ({"every": "3m", "paused": "7m"}, [420, 540]),
        ({"every": "3m", "paused": True}, []),
    ],
    ids=str,
)
def test_every_kind_of_schedule_runs_when_it_says(schedule, expected):
    simulated = run(endpoints=[{"name": "stock", **schedule}])

    assert times(simulated) == expected


def test_a_slot_that_fails_is_tried_again():
    simulated = run(
        endpoints=[stock(retries={"count": 2, "min": "2s", "max": "4s"}, answers={"status": 500})], length="90s"
    )

    runs = [call.run for call in simulated.chronicle.of("stock") if call.run is not None]
    assert [(run.slot, run.attempt) for run in runs] == [(1, 1), (1, 2), (1, 3)]
