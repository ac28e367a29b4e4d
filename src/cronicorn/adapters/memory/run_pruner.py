"""Forgetting parts of the history, in memory."""

from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.domain.provision.ports import RunPruner
from cronicorn.domain.provision.retention import PrunedPart, RunPart
from cronicorn.domain.run import RunStatus


class MemoryRunPruner(RunPruner):
    """Removes runs and skips of some tenants."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def prune_part(self, part: RunPart, limit: int) -> PrunedPart:
        with self._database.lock:
            rows = [
                row for row in self._database.rows.values() if (row.endpoint.tenant_id in part.tenants) is part.inside
            ]
            runs = sorted(
                (run.finished_at, number, key, row)
                for row in rows
                for key, (number, run) in row.runs.items()
                if part.after <= run.finished_at < part.before and (run.status is RunStatus.FAILED) is part.failed
            )
            skips = sorted(
                (skip.last_at, number, row)
                for row in rows
                for number, skip in row.skips
                if part.after <= skip.last_at < part.before and not part.failed
            )
            for _, _, key, row in runs[:limit]:
                del row.runs[key]
            for _, gone, row in skips[:limit]:
                row.skips = [kept for kept in row.skips if kept[0] != gone]
        full = [each[limit - 1][0] for each in (runs, skips) if len(each) >= limit]
        return PrunedPart(min(len(runs), limit) + min(len(skips), limit), min(full, default=part.before))
