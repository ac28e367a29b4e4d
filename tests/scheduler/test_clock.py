"""A wall clock that is set while the scheduler runs."""

import asyncio
from datetime import timedelta

from cronicorn.testing.virtual_time import LoopClock, run_virtually
from tests.scheduler.world import SECOND, a_world


class SetClock(LoopClock):
    """A virtual clock whose wall time can be set."""

    ahead = timedelta(0)

    def now(self):
        return super().now() + self.ahead


def test_a_clock_that_is_set_is_noticed(caplog):
    async def main(clock):
        world = a_world(clock)
        world.clock = SetClock(asyncio.get_running_loop())
        async with world.worker():
            await asyncio.sleep(5)
            world.clock.ahead = 3_600 * SECOND
            await asyncio.sleep(5)
            world.clock.ahead = timedelta(0)
            await asyncio.sleep(5)

    run_virtually(main)

    steps = [record.by_s for record in caplog.records if record.message == "clock_stepped"]
    assert steps == [3_600.0, -3_600.0]
