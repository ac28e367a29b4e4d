"""Forgetting history: of each tenant what it need not keep, failures apart, and of all what nobody keeps."""

import asyncio
from dataclasses import replace

from cronicorn.domain.ports import Clock
from cronicorn.domain.provision.ports import ProvisionBook, RunPruner
from cronicorn.domain.provision.retention import KeptFor, Retentions, RunPart
from cronicorn.scheduler.retention import Prune, Retention, forget_once, repeatedly


class HistoryForgetter:
    """Removes runs and skips of one store, now and then."""

    def __init__(
        self, prune: Prune, pruner: RunPruner, provisions: ProvisionBook, clock: Clock, usual: KeptFor
    ) -> None:
        """*prune* removes what is older than anybody keeps; *usual* holds where *provisions* say nothing else."""
        self._prune = prune
        self._pruner = pruner
        self._provisions = provisions
        self._clock = clock
        self._usual = usual
        self._pace = Retention()
        self._done: dict[tuple[frozenset[str], bool, bool], RunPart] = {}
        """Each part as it was removed last: what came before its end is not looked at again."""

    async def forget(self) -> None:
        """Remove what is old, again and again until cancelled."""
        await repeatedly(self.forget_once, self._pace)

    async def forget_once(self) -> int:
        """Remove what is old now, in batches, and answer how much that was. Raises UnavailableError."""
        provided = await self._provisions.provisions()
        own = {tenant_id: each.kept_for(self._usual) for tenant_id, each in provided.items()}
        of_tenants = {tenant_id: kept for tenant_id, kept in own.items() if kept != self._usual}
        retentions = Retentions(usual=self._usual, of_tenants=of_tenants)
        removed = await forget_once(self._prune, self._clock, replace(self._pace, keep=retentions.longest))
        parts = list(retentions.parts(self._clock.now()))
        for part in parts:
            removed += await self._forget(part)
        self._done = {_key(part): part for part in parts}
        return removed

    async def _forget(self, part: RunPart) -> int:
        before, removed = self._done.get(_key(part)), 0
        if before is not None:
            part = part._replace(after=min(before.before, part.before))
        while part.after < part.before:
            pruned = await self._pruner.prune_part(part, self._pace.batch)
            removed += pruned.removed
            part = part._replace(after=pruned.until)
            await asyncio.sleep(self._pace.breather.total_seconds() if pruned.removed else 0)
        return removed


def _key(part: RunPart) -> tuple[frozenset[str], bool, bool]:
    return part.tenants, part.inside, part.failed
