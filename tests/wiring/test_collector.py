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


def test_what_is_loaded_is_not_looked_at_again_and_new_cycles_still_go():
    collect_rarely()
    loaded = gc.get_freeze_count()
    knot = weakref.ref(Knot())

    kept = [[number] for number in range(100_000)]

    assert loaded > 10_000
    assert knot() is None
    assert len(kept) == 100_000
