"""A worker that dies takes its calls with it: the slot runs again, and is recorded once."""

import pytest

from cronicorn.sim.chronicle import Fate
from tests.sim.scenarios import run, times

SLOW = {"name": "stock", "every": "2m", "answers": {"latency": "10s"}}


def test_a_slot_that_died_runs_again_elsewhere_and_is_recorded_once():
    simulated = run(
        workers=2,
        endpoints=[SLOW],
        crashes=[{"at": "2m5s", "worker": 1}, {"at": "2m5s", "worker": 2, "back_after": "1s"}],
    )

    first, second, *rest = simulated.chronicle.of("stock")
    assert (first.fate, second.fate) == (Fate.LOST, Fate.SUCCESS)
    assert first.slot == second.slot
    assert 30 <= second.at - first.at <= 40
    assert len({call.slot for call in rest} | {second.slot}) == len(rest) + 1
    assert first.run is None


@pytest.mark.parametrize(("lease", "within"), [("10s", 15), ("60s", 70)])
def test_how_long_a_slot_waits_is_the_lease(lease, within):
    simulated = run(
        workers={"count": 1, "lease": lease}, endpoints=[SLOW],
        crashes=[{"at": "2m5s", "worker": 1, "back_after": "1s"}],
    )  # fmt: skip

    first, second = simulated.chronicle.of("stock")[:2]
    assert within - 10 <= second.at - first.at <= within


def test_the_others_go_on_without_the_dead():
    simulated = run(workers=3, crashes=[{"at": "90s", "worker": 1}, {"at": "3m", "worker": 3}])

    assert times(simulated) == [60 * minute for minute in range(1, 10)]


def test_nothing_runs_while_nobody_is_there():
    simulated = run(
        crashes=[{"at": "90s", "worker": 1, "back_after": "5m"}], endpoints=[{"name": "stock", "every": "60s"}]
    )

    assert [time for time in times(simulated) if 90 < time < 390] == []
    assert times(simulated)[1] == 390
    assert "worker 1 is back" in {each.what for each in simulated.chronicle.happenings}


def test_what_was_running_in_the_end_is_unfinished():
    simulated = run(endpoints=[{"name": "stock", "every": "595s", "answers": {"latency": "20s"}}])

    [call] = simulated.chronicle.of("stock")
    assert call.fate is Fate.UNFINISHED
