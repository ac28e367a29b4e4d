"""Forgetting old history, beside the loop."""

import asyncio
from datetime import timedelta

from cronicorn.domain import UnavailableError
from cronicorn.scheduler import Retention, forget
from cronicorn.sim.virtual_time import run_virtually


class Troubled:
    """A history whose first two prunings fail: one for want of the store, one by a bug."""

    def __init__(self):
        self.troubles = [UnavailableError("away"), RuntimeError("a bug")]
        self.asked = []

    async def prune(self, before, limit):
        self.asked.append(before)
        if self.troubles:
            raise self.troubles.pop(0)
        return 0


def test_neither_an_outage_nor_a_bug_ends_the_forgetting(caplog):
    history = Troubled()

    async def main(clock):
        retention = Retention(every=timedelta(minutes=10))
        forgetting = asyncio.create_task(forget(history.prune, clock, retention))
        await asyncio.sleep(1_900)
        forgetting.cancel()

    run_virtually(main)

    assert len(history.asked) == 4
    assert "history_not_pruned" in caplog.text
    assert "retention_crashed" in caplog.text
