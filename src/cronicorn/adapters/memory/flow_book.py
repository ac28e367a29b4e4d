"""What calls began lately and are in progress, in memory."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TypeVar

from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.domain.flow.ports import FlowBook, FlowEdit
from cronicorn.domain.flow.record import BLANK, FlowKey
from cronicorn.domain.instant import microseconds_of

T = TypeVar("T")


class MemoryFlowBook(FlowBook):
    """Keeps records of flow."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def change(self, keys: Collection[FlowKey], edit: FlowEdit[T]) -> T:
        flows = self._database.flows
        with self._database.lock:
            records, answer = edit({key: flows.get(key, BLANK) for key in keys}, self._database.clock.now())
            flows.update(records)
        return answer

    async def slowed(self) -> Mapping[FlowKey, int]:
        with self._database.lock:
            now_us = microseconds_of(self._database.clock.now())
            flows = self._database.flows.items()
            return {key: record.slowed_us for key, record in flows if record.slowed_us > now_us}

    async def prune(self, before: datetime, limit: int) -> int:
        with self._database.lock:
            before_us, flows = microseconds_of(before), self._database.flows
            old = [key for key, record in flows.items() if record.kept_until_us < before_us][:limit]
            for key in old:
                del flows[key]
        return len(old)
