"""Forgetting: what is old goes in small batches, beside the loop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.ports import Clock

log = logging.getLogger(__name__)

Prune: TypeAlias = Callable[[datetime, int], Awaitable[int]]
"""Removes up to so many things that were over before an instant, and answers how many; such as `RunHistory.prune`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long something is kept, and how gently it is removed."""

    keep: timedelta = timedelta(days=30)
    every: timedelta = timedelta(minutes=10)
    batch: int = 500
    breather: timedelta = timedelta(milliseconds=50)


async def forget(prune: Prune, clock: Clock, retention: Retention) -> None:
    """Remove what is older than `keep` with *prune*, now and then `every` so often, until cancelled."""
    await repeatedly(lambda: forget_once(prune, clock, retention), retention)


async def repeatedly(once: Callable[[], Awaitable[int]], retention: Retention) -> None:
    """Do *once*, which answers how much it removed, again and again until cancelled."""
    while True:
        try:
            removed = await once()
        except UnavailableError as error:
            log.warning("history_not_pruned", extra={"reason": str(error)})
        except Exception:  # A bug here must not end the forgetting, nor anything beside it.
            log.exception("retention_crashed")
        else:
            if removed:
                log.info("history_pruned", extra={"removed": removed})
        await asyncio.sleep(retention.every.total_seconds())


async def forget_once(prune: Prune, clock: Clock, retention: Retention) -> int:
    """Remove what is older than `keep` now, in batches, and answer how much that was."""
    before, removed = clock.now() - retention.keep, 0
    while batch := await prune(before, retention.batch):
        removed += batch
        if batch < retention.batch:
            break
        await asyncio.sleep(retention.breather.total_seconds())
    return removed
