"""The example policies do what they say: answer by answer, through the real `decide`."""

from datetime import timedelta

import pytest
import yaml

from cronicorn.domain.durations import parse_duration
from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.policy.text import policy_document
from tests.architecture.source import ROOT
from tests.cli.command import cronicorn, environment
from tests.domain.policy.history import HOUR, MINUTE, SECOND, History, endpoint_with

FOLDER = ROOT / "examples" / "policies"
FILES = sorted(FOLDER.glob("*.yaml"))


def example(name: str):
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def history_of(name: str, *, every: str, siblings=(), **limits) -> History:
    """The endpoint `watched` with the example policy *name*, and dormant *siblings*."""
    lengths = {f"interval_{key}": parse_duration(value) for key, value in limits.items()}
    watched = endpoint_with(example(name), "watched", every=parse_duration(every), **lengths)
    return History.of(watched, *(endpoint_with(None, each, baseline=Baseline(dormant=True)) for each in siblings))


def gaps(history: History, bodies, **how) -> list[timedelta]:
    """How long after each answer the next call is due."""
    found = []
    for body in bodies:
        history.answer(body, of="watched", **how)
        found.append(history.gap("watched"))
    return found


def orders(history: History, bodies) -> list[tuple[timedelta, str]]:
    """When, after the first answer, the rules had something run, and what."""
    found = []
    for body in bodies:
        history.answer(body, of="watched")
        after = history.calls[-1][0] - history.calls[0][0]
        found += [(after, did) for each in history.did().values() for did in each if did.startswith("run_once")]
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_passes_its_check_as_printed_in_it(file, monkeypatch):
    monkeypatch.chdir(ROOT)
    [printed] = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("#   cronicorn ")]

    ended = cronicorn(*printed.removeprefix("#   cronicorn ").split())

    assert ended.code == 0, ended.out + ended.err
    assert "held" in ended.out


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_is_stored_as_it_is_read(file):
    policy = policy_of(example(file.stem))

    assert policy_of(policy_document(policy)) == policy


def test_a_recovery_action_runs_the_remedy_three_times_an_hour_five_minutes_apart():
    history = history_of("recovery-action", every="5m", min="30s", siblings=["recover"])
    down = {"state": "down"}

    seen = orders(history, [{"state": "up"}, *[down] * 35])

    second = 5 * MINUTE + 30 * SECOND  # the second bad answer
    assert [did for _, did in seen] == ["run_once:recover"] * 3
    assert [after for after, _ in seen] == [second, second + 5 * MINUTE, second + 10 * MINUTE]
    assert history.due("recover") == 5 * MINUTE + second  # nobody has run it here


def test_an_escalation_ladder_is_climbed_in_order_and_left_when_the_trouble_ends():
    rungs = ["restart-workers", "tell-the-team", "page-on-call"]
    history = history_of("escalation-ladder", every="2m", min="30s", siblings=rungs)
    mended = history_of("escalation-ladder", every="2m", min="30s", siblings=rungs)

    climbed = orders(history, [{"error_rate_pct": 8}] * 60)
    left = orders(mended, [{"error_rate_pct": 8}] * 10 + [{"error_rate_pct": 1}] * 20)

    began = 30 * SECOND  # the second bad answer
    assert climbed == [
        (began + 2 * MINUTE, "run_once:restart-workers"),
        (began + 7 * MINUTE, "run_once:tell-the-team"),
        (began + 12 * MINUTE, "run_once:restart-workers"),
        (began + 20 * MINUTE, "run_once:page-on-call"),
    ]
    assert left == climbed[:1]
    assert mended.steps.drifted == ()


def test_an_etl_gate_runs_the_next_stage_once_for_each_batch():
    history = history_of("etl-gate", every="1m", siblings=["transform"])
    batches = [("b1", "running"), ("b1", "complete"), ("b1", "complete"), ("b2", "complete"), ("b2", "complete")]

    seen = orders(history, [{"batch_id": batch, "state": state} for batch, state in batches])

    assert [after for after, _ in seen] == [1 * MINUTE, 3 * MINUTE]


def test_a_cooldown_lasts_also_when_the_trouble_comes_back():
    history = history_of("cooldown", every="1m", siblings=["warm-cache"])

    seen = orders(history, [{"page_ms": 4000 if minute % 3 else 900} for minute in range(40)])

    assert [after for after, _ in seen] == [1 * MINUTE, 16 * MINUTE, 31 * MINUTE]


def test_inverse_scaling_asks_a_busy_target_less():
    history = history_of("inverse-scaling", every="1m", min="30s", max="10m")

    found = gaps(history, [{"cpu_pct": cpu} for cpu in (30, 60, 90, 78, 74, 48, 40)])

    assert [gap / MINUTE for gap in found] == [1, 2, 5, 5, 2, 2, 1]


def test_a_threshold_is_read_from_the_answer():
    history = history_of("threshold-from-body", every="5m", min="30s")
    queues = [(90, 1000), (900, 1000), (90, 100), (60, 100), (40, 100)]

    found = gaps(history, [{"queue": {"length": length, "capacity": capacity}} for length, capacity in queues])

    closer = 30 * SECOND
    assert found[:4] == [5 * MINUTE, closer, closer, closer]
    assert history.source("watched") == "baseline-interval"


def test_stability_first_is_not_moved_by_one_odd_value_and_not_for_a_moment():
    odd = history_of("stability-first", every="1m", min="15s")
    moved = history_of("stability-first", every="1m", min="15s")

    gaps(odd, [{"lag_ms": 500 if number != 3 else 900} for number in range(12)])
    seen = gaps(moved, [{"lag_ms": 900}] * 3 + [{"lag_ms": 100}] * 19)
    kept = moved.phases()["lagging"]
    gaps(moved, [{"lag_ms": 100}])

    assert set(odd.phases().values()) == {"idle"}
    assert seen[:3] == [15 * SECOND, 15 * SECOND, 30 * SECOND]
    assert kept == "clearing"
    assert moved.phases()["lagging"] == "idle"


def test_a_run_is_planned_days_ahead_once_for_each_release():
    history = history_of("far-run", every="7d")
    announced = {"next_release": (MIDNIGHT + timedelta(days=10, hours=9)).isoformat()}

    history.answer(announced, of="watched")
    due = history.due("watched")
    history.answer(announced, of="watched")

    assert due == timedelta(days=10, hours=9)
    assert history.did()["release"] == ("done-for-this-value",)
    assert history.due("watched") == timedelta(days=14)


def test_an_idle_endpoint_is_looked_at_less_often_than_its_baseline():
    history = history_of("slower-than-baseline", every="5m", max="1h")

    found = gaps(history, [{"queued": 0}] * 4 + [{"queued": 3}])

    assert found[:4] == [5 * MINUTE, 5 * MINUTE, 30 * MINUTE, 30 * MINUTE]
    assert found[4] <= 5 * MINUTE


def test_time_boxed_tightening_ends_though_the_condition_goes_on():
    history = history_of("time-boxed", every="2m", min="10s")

    found = gaps(history, [{"deploying": True}] * 50)

    assert found[0] == 15 * SECOND
    assert sum((gap for gap in found if gap == 15 * SECOND), 0 * SECOND) <= 10 * MINUTE
    assert found[-1] == 2 * MINUTE


def test_a_refused_endpoint_waits_as_long_as_the_server_says_and_again():
    history = history_of("rate-limit-pause", every="1m")

    told = gaps(history, [None, None], status=429, headers=[("retry-after", "600")])
    history.answer({}, of="watched", status=429)
    untold = history.gap("watched")
    history.answer({}, of="watched")

    assert told == [10 * MINUTE, 10 * MINUTE]
    assert untold == MINUTE
    assert history.source("watched") == "baseline-interval"


def test_a_pause_is_looked_over_and_ends_with_the_maintenance():
    history = history_of("watchdog", every="1m", max="20m")
    on, off = {"mode": "maintenance"}, {"mode": "normal"}

    found = gaps(history, [on] * 19 + [off])

    assert found[:18] == [20 * MINUTE] * 18
    assert sum(found[:18], 0 * HOUR) == 6 * HOUR
    assert history.source("watched") == "baseline-interval"


def test_the_applied_example_is_accepted_with_its_policy(tmp_path):
    file = FOLDER / "applied" / "shop.yaml"
    store = environment(DATABASE_URL=f"sqlite:{tmp_path / 'store.db'}")

    first, second = (cronicorn("apply", "-f", str(file), env=store) for _ in range(2))

    assert first.code == 0, first.err
    assert "shop/health" in first.out
    assert "3 unchanged" in second.out
