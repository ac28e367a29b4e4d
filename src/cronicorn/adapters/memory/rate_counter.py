"""Counting how often something happens, in memory."""

from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.domain.access.ports import RateCounter
from cronicorn.domain.rate import Rate, RateStanding, next_spent, standing_of


class MemoryRateCounter(RateCounter):
    """Keeps one instant for each name."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def take(self, name: str, rate: Rate) -> RateStanding:
        with self._database.lock:
            now, rates = self._database.clock.now(), self._database.rates
            for passed in [known for known, until in rates.items() if until <= now]:
                del rates[passed]
            before = rates.get(name)
            after = next_spent(rate, before, now)
            if after is not None:
                rates[name] = after
            return standing_of(rate, after or before or now, now, allowed=after is not None)

    async def forget(self, name: str) -> None:
        with self._database.lock:
            self._database.rates.pop(name, None)
