"""The port of flow control. What holds of the others in `cronicorn.domain.ports` holds of it."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Protocol, TypeVar

from cronicorn.domain.flow.record import FlowKey, FlowRecord

T = TypeVar("T")

FlowEdit = Callable[[Mapping[FlowKey, FlowRecord], datetime], tuple[Mapping[FlowKey, FlowRecord], T]]
"""Makes records of those stored now, at the instant by the store's clock, and an answer."""


class FlowBook(Protocol):
    """What calls began lately and are in progress, by key, for all workers together."""

    async def change(self, keys: Collection[FlowKey], edit: FlowEdit[T]) -> T:
        """Store what *edit* makes of the records of *keys*, all or nothing, and answer what it does.

        A key without a record has a blank one. Whoever changes one of the same keys meanwhile waits. *edit* may be
        called more than once: keep it pure.
        """
        ...

    async def slowed(self) -> Mapping[FlowKey, int]:
        """Until when hosts are left alone, in microseconds since 1970: of all records where that is still to come."""
        ...

    async def prune(self, before: datetime, limit: int) -> int:
        """Remove up to *limit* records that have said nothing since *before*, and answer how many it were."""
        ...
