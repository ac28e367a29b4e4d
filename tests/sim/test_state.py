"""State that calls and time change."""

from cronicorn.sim.world import World
from tests.sim.scenarios import document, read

YES, NO = True, False


def world_of(begins, *changes, **signals):
    return World(read(document(state={"it": {"start": begins, "changes": list(changes)}}, signals=signals)))


def test_time_sets_it_and_it_stays():
    world = world_of("a", {"at": "30s", "set": "b"}, {"at": "60s", "set": "c"})

    assert [world.value("it", time) for time in (0.0, 29.9, 30.0, 60.0, 600.0)] == list("aabcc")


def test_what_was_stays_known():
    world = world_of(0, {"call": "stock", "add": 1})

    world.call("stock", 10.0)
    world.call("stock", 20.0)

    assert [world.value("it", time) for time in (20.0, 19.0, 10.0, 9.0)] == [2, 1, 1, 0]


def test_a_call_may_change_it_later():
    world = world_of(YES, {"call": "stock", "set": False, "after": "30s"})

    world.call("stock", 10.0)

    assert [world.value("it", time) for time in (10.0, 39.0, 40.0)] == [True, True, False]


def test_it_may_last_for_a_while_and_a_later_call_prolongs_it():
    world = world_of(NO, {"call": "stock", "set": True, "for": "60s"})

    world.call("stock", 10.0)
    world.call("stock", 50.0)

    assert [world.value("it", time) for time in (10.0, 70.0, 109.0, 110.0)] == [True, True, True, False]


def test_it_may_be_worked_out_from_itself_and_from_signals():
    world = world_of(100, {"call": "stock", "set": "=it > step ? it - step : 0"}, step=60)

    world.call("stock", 1.0)
    world.call("stock", 2.0)

    assert [world.value("it", time) for time in (0.0, 1.0, 2.0)] == [100, 40, 0]


def test_a_change_happens_only_when_its_condition_holds_at_that_moment():
    world = world_of(
        0, {"call": "stock", "add": 1, "when": "open"}, {"at": "60s", "add": 10, "when": "!open"}, open="=elapsed < 30"
    )

    world.call("stock", 10.0)
    world.call("stock", 40.0)

    assert world.value("it", 100.0) == 11


def test_a_bare_value_is_state_that_nothing_changes():
    world = World(read(document(state={"it": 5}, signals={"twice": "=it * 2"})))

    assert world.value("twice", 600.0) == 10
