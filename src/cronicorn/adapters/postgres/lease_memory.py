"""What a process remembers of its leases besides what a `Lease` says."""

from collections import OrderedDict
from dataclasses import dataclass

LEASES_MAX = 20_000
"""More are hardly in progress in one process. What is forgotten is settled all the same, with a closer look."""


@dataclass(slots=True, kw_only=True)
class Remembered:
    """What the row said when it was claimed."""

    document: str
    """That of the endpoint."""
    plan_version: int
    until_us: int
    """Until when the lease surely stands, by the database's clock; renewals move it."""


class LeaseMemory:
    """Leases by claim id, the oldest forgotten first. Reading is safe from any thread."""

    def __init__(self) -> None:
        self._leases: OrderedDict[str, Remembered] = OrderedDict()

    def keep(self, claim_id: str, remembered: Remembered) -> None:
        self._leases[claim_id] = remembered
        if len(self._leases) > LEASES_MAX:
            self._leases.popitem(last=False)

    def of(self, claim_id: str) -> Remembered | None:
        return self._leases.get(claim_id)

    def extend(self, claim_id: str, until_us: int) -> None:
        """A renewal was granted, in whatever thread."""
        remembered = self._leases.get(claim_id)
        if remembered is not None:
            remembered.until_us = until_us

    def forget(self, claim_id: str) -> None:
        self._leases.pop(claim_id, None)
