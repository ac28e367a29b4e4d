"""A worker in a process of its own: wants an analysis for each of its jobs at once, and says what they cost together.

Arguments: the database (a path or a URL), the mode, a number, how many jobs it has and how many calls it makes at once.
With the first two alone it reserves for one call, for HELD, and waits to be killed.
"""

import asyncio
import json
import random
import sys
from contextlib import asynccontextmanager
from datetime import timedelta

from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.postgres.quota import PostgresQuota
from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.quota import SqliteQuota
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.domain.calendar import Calendar, Period
from cronicorn.domain.quota.allowance import Allowance, Budget, Tiers
from cronicorn.domain.quota.decision import DenialReason, Denied, Mode
from cronicorn.domain.quota.soft import SoftBound

LIMIT = 200_000
CALL_TOKENS = 1_000
CALLS_MAX = 16
"""Of one tenant at once, in the mode `soft`: half of what eight processes with four calls each would make."""
QUIET_CALLS = 20
TTL = timedelta(minutes=5)
HELD = timedelta(seconds=1)
PATIENCE = timedelta(seconds=60)
BOUND = SoftBound(limit=LIMIT, concurrency=CALLS_MAX, call_tokens_max=CALL_TOKENS)
TIERS = Tiers(
    allowances={
        "free-tier": Allowance(
            limit=LIMIT,
            calendar=Calendar(period=Period.MONTH),
            compile_percent=0,
            burst=None,
            soft_room=BOUND.room,
        )
    }
)


@asynccontextmanager
async def opened(where, mode):
    """The quota in the database at *where*."""
    if "://" in where:
        server = await PostgresDatabase.open(where, PostgresOptions(connections_max=4))
        yield PostgresQuota(server, TIERS, mode)
        await server.aclose()
    else:
        file = await SqliteDatabase.open(where, SystemClock(), busy_timeout=PATIENCE)
        yield SqliteQuota(file, TIERS, mode)
        await file.aclose()


async def _analyse(quota, key, room, chance):
    """What one job's analysis costs; 0 when it is denied. It is asked for again while calls in progress end."""
    budget = chance.choice([Budget.ANALYSIS, Budget.COMPILE])
    async with room:
        decision = await quota.reserve("loud", CALL_TOKENS, budget=budget, key=key, ttl=TTL)
        while isinstance(decision, Denied) and decision.reason is DenialReason.RESERVED:
            await asyncio.sleep(0.005)
            decision = await quota.reserve("loud", CALL_TOKENS, budget=budget, key=key, ttl=TTL)
        if isinstance(decision, Denied):
            return 0
        actual = chance.randint(CALL_TOKENS // 5, CALL_TOKENS)
        await asyncio.sleep(chance.uniform(0, 0.01))  # the call
        await quota.commit(decision.grant_id, actual)
        return actual


async def _be_quiet(quota, number):
    """What another tenant, of this process alone, is told to have left after each of its calls meanwhile."""
    return [
        (await quota.reserve(f"quiet {number}", 1, budget=Budget.ANALYSIS, key=str(call), ttl=TTL)).remaining
        for call in range(QUIET_CALLS)
    ]


async def _work(where, mode, number, jobs, calls):
    chance, room = random.Random(number), asyncio.Semaphore(calls)
    async with opened(where, mode) as quota:
        await quota.remaining("loud")
        _say("ready")
        await asyncio.to_thread(sys.stdin.readline)
        costs, quiet = await asyncio.gather(
            asyncio.gather(*(_analyse(quota, f"{number} {job}", room, chance) for job in range(jobs))),
            _be_quiet(quota, number),
        )
        made = sum(cost > 0 for cost in costs)
        _say(json.dumps({"spent": sum(costs), "made": made, "quiet": quiet}))


async def _hold(where, mode):
    async with opened(where, mode) as quota:
        await quota.reserve("loud", CALL_TOKENS, budget=Budget.ANALYSIS, key="held", ttl=HELD)
        _say("reserved")
        await asyncio.to_thread(sys.stdin.readline)


def _say(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _, where_, mode_, *numbers = sys.argv
    if numbers:
        asyncio.run(_work(where_, Mode(mode_), *map(int, numbers)))
    else:
        asyncio.run(_hold(where_, Mode(mode_)))
