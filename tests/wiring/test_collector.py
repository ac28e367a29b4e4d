"""How often a process looks for cycles."""

import gc
import weakref

import pytest

from cronicorn.wiring.collector import collect_rarely


@pytest.fixture(autouse=True)
def _as_before():
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


class Knot:
    def __init__(self):
        self.itself = self


@pytest.mark.parametrize(("calls_max", "goes"), [(100, True), (2_000, False)])
def test_what_is_loaded_is_not_looked_at_again_and_new_cycles_go_once_more_is_made_than_calls_are_made_of(
    calls_max, goes
):
    collect_rarely(calls_max)
    loaded = gc.get_freeze_count()
    knot = weakref.ref(Knot())

    kept = [[number] for number in range(100_000)]

    assert loaded > 10_000
    assert (knot() is None) == goes
    assert len(kept) == 100_000
