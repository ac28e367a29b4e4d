"""What the log says of settled slots: each by itself, and where there are very many only how many they were."""

import logging
from collections import Counter

from cronicorn.domain.lease import Lease
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Settlement
from cronicorn.domain.slot import SlotState

log = logging.getLogger(__name__)

TOLD_MAX = 100
"""So many slots a second are told one by one: a line costs more than what it tells of, and each run is in the store."""
_SPAN_S = 1.0


class SlotLog:
    """Tells of slots that were settled."""

    def __init__(self) -> None:
        self._told = 0
        self._since_mono = 0.0
        self._untold = Counter[str]()

    def settled(self, lease: Lease, run: Run | None, settlement: Settlement) -> None:
        """The slot of *lease* ended, with *run* or (None) without a call."""
        if not log.isEnabledFor(logging.INFO):
            return
        if self._told >= TOLD_MAX:
            status = run.status.value if run is not None else _status(lease, settlement)
            self._untold[status or "due"] += 1
            return
        self._told += 1
        if run is None:
            status = _status(lease, settlement)
            facts: dict[str, object] = {"status": status} if status is not None else {}
        else:
            facts = run.facts()
        log.info("run_settled", extra=lease.facts() | facts | settlement.facts())

    def look(self, now_mono: float) -> None:
        """Tell of the rest once a second is over, counted from one call to the next."""
        if now_mono - self._since_mono >= _SPAN_S:
            self._since_mono = now_mono
            self.tell_rest()

    def tell_rest(self) -> None:
        """Tell how many were not told one by one, and begin anew."""
        self._told = 0
        if self._untold:
            log.info("runs_settled", extra={"slots": self._untold.total(), **self._untold})
            self._untold.clear()


def _status(lease: Lease, settlement: Settlement) -> str | None:
    """As what the slot ended that no call was made for, by what was recorded; None of one that is still due."""
    recorded = {skip.state for skip in settlement.skips}
    for state in (SlotState.SKIPPED_QUOTA, SlotState.MISSED_WINDOW):
        if state in recorded:
            return state.value
    # A retry leaves no skip behind: its slot has run before.
    return SlotState.SKIPPED_QUOTA.value if lease.exhausted else None
