"""Drafts of policies in memory."""

from collections.abc import Callable, Sequence

from cronicorn.adapters.memory.audit_log import record
from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.domain.compilation.audited import draft_entry, new_draft_entry
from cronicorn.domain.compilation.deciding import Decided
from cronicorn.domain.compilation.draft import Draft
from cronicorn.domain.compilation.keeping import cleared_for, superseded_by
from cronicorn.domain.compilation.ports import Drafts
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import ConflictError, NotFoundError
from cronicorn.domain.principal import Principal
from cronicorn.domain.settlement import Stored


class MemoryDrafts(Drafts):
    """Keeps drafts."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def add(self, draft: Draft, by: Principal | None = None) -> None:
        with self._database.lock:
            if any(draft.id in row.drafts for row in self._database.rows.values()):
                raise ConflictError(f"Draft {draft.id} already exists.")
            drafts = self._database.row(draft.tenant_id, draft.endpoint_id).drafts
            cleared = cleared_for(draft, list(reversed(drafts.values())))
            drafts.update({each.id: each for each in cleared.superseded})
            for draft_id in cleared.dropped:
                del drafts[draft_id]
            drafts[draft.id] = draft
            record(self._database, new_draft_entry(by, self._database.clock.now(), draft))

    async def get(self, tenant_id: str, endpoint_id: str, draft_id: str) -> Draft:
        with self._database.lock:
            return self._draft(tenant_id, endpoint_id, draft_id)

    async def list(self, tenant_id: str, endpoint_id: str) -> Sequence[Draft]:
        with self._database.lock:
            return list(reversed(self._database.row(tenant_id, endpoint_id).drafts.values()))

    async def decide(
        self,
        tenant_id: str,
        endpoint_id: str,
        draft_id: str,
        decision: Callable[[Draft, JobEndpoint, Stored], Decided],
        by: Principal | None = None,
    ) -> tuple[Draft, JobEndpoint, Stored]:
        with self._database.lock:
            draft = self._draft(tenant_id, endpoint_id, draft_id)
            row = self._database.row(tenant_id, endpoint_id)
            now = self._database.clock.now()
            before = row.endpoint
            decided = decision(draft, before, self._database.stored(row, now))
            if decided.change is not None:
                self._database.apply(row, decided.change)
            others = superseded_by(decided.draft, list(row.drafts.values()))
            row.drafts.update({each.id: each for each in (*others, decided.draft)})
            record(self._database, draft_entry(by, now, (draft, before), (decided.draft, row.endpoint)))
            return decided.draft, row.endpoint, Stored(now=now, leased_slot=row.leased_slot(now))

    def _draft(self, tenant_id: str, endpoint_id: str, draft_id: str) -> Draft:
        draft = self._database.row(tenant_id, endpoint_id).drafts.get(draft_id)
        if draft is None:
            raise NotFoundError(f"Endpoint {endpoint_id} has no draft {draft_id}.")
        return draft
