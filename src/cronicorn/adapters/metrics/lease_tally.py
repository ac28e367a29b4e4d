"""Which leases ended without their run being recorded."""

from collections.abc import Callable, Iterable


class LeaseTally:
    """Follows leases from claim to settlement and counts those that were lost on the way, each once.

    The store alone does not know: a lease may also end because the store was away, or in the very moment in which its
    run is being recorded. Safe to use from the event loop and the heartbeat's thread at once: each step is one
    operation of a dict.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._ends: dict[str, float] = {}
        self._settling: set[str] = set()

    def held(self, claim_ids: Iterable[str], ttl: float) -> None:
        """These leases stand for *ttl* seconds from now."""
        end = self._monotonic() + ttl
        self._ends.update(dict.fromkeys(claim_ids, end))

    def renewed(self, claim_ids: Iterable[str], ttl: float) -> None:
        """Those of these leases that still stand do so for *ttl* seconds from now."""
        self.held([claim_id for claim_id in claim_ids if claim_id in self._ends], ttl)

    def settling(self, claim_id: str) -> None:
        """The store is being asked to end this lease: whether it is lost, the store will say."""
        self._settling.add(claim_id)

    def unsettled(self, claim_id: str) -> None:
        """The store could not be asked; the lease goes on."""
        self._settling.discard(claim_id)

    def ended(self, claim_id: str) -> bool:
        """This lease is over: answer whether it stood until now, as far as anybody knew."""
        self._settling.discard(claim_id)
        return self._ends.pop(claim_id, None) is not None

    def lost(self, claim_ids: Iterable[str]) -> int:
        """The store says these leases are lost: answer how many of them nobody counted yet."""
        gone = [claim_id for claim_id in claim_ids if claim_id not in self._settling]
        return sum(self._ends.pop(claim_id, None) is not None for claim_id in gone)

    def overdrawn(self) -> int:
        """How many leases have run out since the last time anybody asked."""
        now = self._monotonic()
        return self.lost([claim_id for claim_id, end in list(self._ends.items()) if end < now])
