"""What holds whatever rules and signals say, seen in whole simulations."""

from itertools import pairwise
from typing import Any

import pytest

from cronicorn.domain.hint import Author
from tests.sim.scenarios import policy, run, times

BAD = {"bad": {"path": "$.bad", "type": "bool"}}
N = {"n": {"path": "$.n", "type": "number"}}


def gaps(simulated, endpoint):
    """The seconds between calls, from the start of the simulation on."""
    return [after - before for before, after in pairwise([0, *times(simulated, endpoint)])]


def ordering(**action: Any):
    """An endpoint that is always bad, and orders *action* of its sibling b every half minute."""
    rule = {"id": "r", "when": "bad", "cooldown": "30s", "action": action | {"sibling": "b"}}
    return {"name": "a", "every": "30s", "answers": {"body": {"bad": True}}, "policy": policy(BAD, rule)}


@pytest.mark.parametrize("action", [{"pause": "10m"}, {"pause": "1h"}, {"defer": "10m"}])
def test_a_sibling_that_is_held_back_again_and_again_is_looked_at_by_its_own_maximum(action):
    simulated = run(length="2h", endpoints=[ordering(**action), {"name": "b", "every": "2m", "max": "5m"}])

    assert max(gaps(simulated, "b")) <= 300
    assert len(times(simulated, "b")) >= 20


@pytest.mark.parametrize("action", [{"pause": "1h"}, {"defer": "1h"}])
def test_a_sibling_without_a_maximum_is_called_once_a_day_at_the_least(action):
    simulated = run(length="3d", endpoints=[ordering(**action), {"name": "b", "every": "2m"}])

    assert max(gaps(simulated, "b")) <= 24 * 3_600 + 60
    assert len(times(simulated, "b")) >= 2


def test_the_pause_of_a_sibling_is_no_longer_than_its_own_policy_lets_it():
    a = ordering(pause="1h")
    own = policy(N, {"id": "idle", "when": "n > 5", "action": {"interval": "1m"}}) | {"limits": {"pause_max": "3m"}}

    simulated = run(length="1h", endpoints=[a, {"name": "b", "every": "1m", "policy": own}])

    assert max(gaps(simulated, "b")) <= 3 * 60 + 60


def test_a_look_that_is_due_is_not_put_off_by_what_a_sibling_answers():
    reads = {"bad": {"from": "sibling:a", "path": "$.bad", "type": "bool"}}
    rule = {"id": "r", "when": "bad", "cooldown": "1m", "action": {"pause": "30m"}}
    a = {"name": "a", "every": "7s", "answers": {"body": {"bad": True}}}

    simulated = run(
        length="2h", endpoints=[a, {"name": "b", "every": "2m", "max": "5m", "policy": policy(reads, rule)}]
    )

    assert max(gaps(simulated, "b")) <= 300


def test_what_runs_at_once_for_each_new_value_runs_no_more_than_once_a_second():
    rule = {"id": "r", "when": "n > 0", "once_per": "n"}
    n = {"body": {"n": "=elapsed * 1000"}}
    alone = {"name": "alone", "every": "1m", "answers": n, "policy": policy(N, rule | {"action": {"run_once": "now"}})}
    ping = {"name": "ping", "every": "1m", "answers": n, "policy": policy(N, rule | {"action": {"run": "pong"}})}
    pong = {"name": "pong", "every": "1m", "answers": n, "policy": policy(N, rule | {"action": {"run": "ping"}})}

    simulated = run(length="3m", endpoints=[alone, ping, pong])

    for name in ("alone", "ping", "pong"):
        began = [call.at for call in simulated.chronicle.of(name)]
        assert min(after - before for before, after in pairwise(began)) >= 0.99, name


@pytest.mark.parametrize("agg", ["avg", "slope_per_min", "delta"])
def test_numbers_beyond_all_measure_are_unknown_and_lose_no_run(agg):
    huge = {"body": {"n": "=calls_so_far > 1 ? 0.0 - 1.7e308 : 1.7e308"}}
    own = policy({"n": N["n"] | {"agg": agg, "window": 3}}, {"id": "r", "when": "n > 5", "action": {"interval": "30s"}})
    theirs = policy(
        {"n": {"from": "sibling:own", "path": "$.n", "type": "number", "agg": agg, "window": 3}},
        {"id": "r", "when": "n > 5", "action": {"run_once": "now"}},
    )

    simulated = run(
        signals={"calls_so_far": {"calls": "own"}},
        endpoints=[
            {"name": "own", "every": "1m", "min": "10s", "answers": huge, "policy": own},
            {"name": "reader", "dormant": True, "policy": theirs},
        ],
    )

    assert all(call.run is not None for call in simulated.chronicle.of("own"))
    assert len(times(simulated, "own")) >= 9


def test_many_hints_of_rules_leave_room_for_what_a_server_asks_and_for_siblings():
    rules = [{"id": f"r{number}", "when": "true", "action": {"interval": "60s"}} for number in range(32)]
    told = {"retry-after": "=elapsed < 600 ? '' : '900'"}
    crowded = {
        "name": "crowded", "every": "1m", "min": "1s", "policy": policy(N, *rules),
        "answers": {"status": "=elapsed < 600 ? 200 : 503", "headers": told},
    }  # fmt: skip

    simulated = run(length="30m", endpoints=[crowded])

    assert [at for at in times(simulated, "crowded") if at > 601] == [1_500]


def test_a_hint_in_an_answer_does_not_outdo_the_backoff_where_nothing_may_tighten():
    bodies = {"poll_after_s": 60}

    def calls(**answers: Any) -> int:
        post = {"name": "stock", "every": "1m", "method": "POST", "answers": answers}
        return len(times(run(length="20m", endpoints=[post])))

    failing = {"status": "=elapsed < 90 ? 200 : 503"}

    assert calls(body=bodies, **failing) == calls(body={"other": 1}, **failing)


def test_more_than_an_endpoint_holds_is_left_out_and_told():
    rule = {"id": "r", "when": "n > 0", "action": {"run_once": "10m", "sibling": "b"}}
    many = [rule | {"id": f"r{number}"} for number in range(32)]
    ordering = [
        {"name": f"a{number}", "every": "1m", "answers": {"body": {"n": 1}}, "policy": policy(N, *many)}
        for number in range(3)
    ]

    simulated = run(length="90s", endpoints=[*ordering, {"name": "b", "every": "1h"}])

    settled = [call.settlement for call in simulated.chronicle.calls if call.settlement is not None]
    hints = [change.endpoint.state.hints for each in settled for change in each.siblings.values()]
    assert max(sum(hint.author is Author.RULE for hint in each) for each in hints) == 64
    assert any(each.endpoint == "b" and each.what == "steering: no-room" for each in simulated.chronicle.happenings)
