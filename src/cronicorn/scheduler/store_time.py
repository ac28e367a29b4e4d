"""When the store saw a claim, by our own monotonic clock."""

from datetime import datetime


class StoreTime:
    """Places instants of the store's clock on the monotonic one.

    A claim's instant lies somewhere between its sending and its answer, which may be far apart: a store that hung takes
    the claim when it wakes up. Counted from the sending, instants that are still to come would seem to have passed. The
    quickest trip so far tells by how much the two clocks part.
    """

    def __init__(self) -> None:
        self._ahead: float | None = None
        """By how many seconds the store's clock is ahead of the monotonic one, at most."""

    def placed(self, claimed_at: datetime, sent: float, answered: float) -> float:
        """The monotonic time of *claimed_at*, or up to a quick trip before it.

        The claim was sent at the monotonic time *sent*; *answered* is after its answer.
        """
        at = claimed_at.timestamp()
        if self._ahead is not None and sent <= at - self._ahead <= answered:
            return at - self._ahead
        self._ahead = at - sent  # The first trip, a quicker one, or clocks that parted.
        return sent
