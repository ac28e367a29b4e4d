"""Requests with a key in memory."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.domain.instant import shifted
from cronicorn.domain.repeating.keyed import KeptAnswer, KeyedRequest, KnownRequest
from cronicorn.domain.repeating.ports import KeyedRequests


@dataclass(slots=True, kw_only=True)
class _Kept:
    request: KeyedRequest
    begun_at: datetime
    expires_at: datetime
    answer: KeptAnswer | None = None


class MemoryKeyedRequests(KeyedRequests):
    """Keeps one entry for each key."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database
        self._kept: dict[tuple[str, str], _Kept] = {}

    async def begin(self, request: KeyedRequest, kept: timedelta) -> KnownRequest | None:
        with self._database.lock:
            now = self._database.clock.now()
            self._kept = {place: each for place, each in self._kept.items() if each.expires_at > now}
            known = self._kept.get((request.tenant_id, request.key))
            if known is None:
                expires_at = shifted(now, kept)
                self._kept[request.tenant_id, request.key] = _Kept(request=request, begun_at=now, expires_at=expires_at)
                return None
            return KnownRequest(
                fingerprint=known.request.fingerprint, begun_at=known.begun_at, now=now, answer=known.answer
            )

    async def end(self, request: KeyedRequest, answer: KeptAnswer) -> None:
        with self._database.lock:
            known = self._kept.get((request.tenant_id, request.key))
            if known is not None and known.request.claim_id == request.claim_id:
                known.answer = answer

    async def withdraw(self, request: KeyedRequest) -> None:
        with self._database.lock:
            known = self._kept.get((request.tenant_id, request.key))
            if known is not None and known.request.claim_id == request.claim_id and known.answer is None:
                del self._kept[request.tenant_id, request.key]
