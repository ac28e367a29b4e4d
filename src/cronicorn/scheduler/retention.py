"""Forgetting: old runs and skips go in small batches, beside the loop."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta

from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.ports import Clock, RunHistory
from cronicorn.domain.quota.ports import QuotaUpkeep

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long history is kept, and how gently it is removed."""

    keep: timedelta = timedelta(days=30)
    every: timedelta = timedelta(minutes=10)
    batch: int = 500
    breather: timedelta = timedelta(milliseconds=50)


async def forget(history: RunHistory | QuotaUpkeep, clock: Clock, retention: Retention) -> None:
    """Remove what is older than `keep`, now and then `every` so often, until cancelled."""
    while True:
        try:
            removed = await _forget_once(history, clock, retention)
        except UnavailableError as error:
            log.warning("history_not_pruned", extra={"reason": str(error)})
        except Exception:  # A bug here must not end the forgetting, nor anything beside it.
            log.exception("retention_crashed")
        else:
            if removed:
                log.info("history_pruned", extra={"removed": removed})
        await asyncio.sleep(retention.every.total_seconds())


async def _forget_once(history: RunHistory | QuotaUpkeep, clock: Clock, retention: Retention) -> int:
    before, removed = clock.now() - retention.keep, 0
    while batch := await history.prune(before, retention.batch):
        removed += batch
        if batch < retention.batch:
            break
        await asyncio.sleep(retention.breather.total_seconds())
    return removed
