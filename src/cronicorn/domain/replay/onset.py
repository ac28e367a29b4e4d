"""When a condition began to hold, and when a call finds it so: bounds, since nobody looked in between.

The beginning lies between the last recorded run at which the condition did not hold and the first one at which it did
(it is censored by that interval). From a call at an instant in between, too, it may have been found: the answer that
it would have got is not known.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cronicorn.domain.instant import ZERO
from cronicorn.domain.replay.replayed import Delay


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """A call found that a condition held that had not held before."""

    at: datetime
    after: datetime
    by: datetime
    old: Delay
    new: Delay


@dataclass(slots=True)
class Onset:
    """Follows one condition through the recorded runs and the imagined calls, told in the order of time."""

    held_at_first: bool = False
    """Whether it held at the first recorded run that could tell: since when can't be known."""
    unseen: int = 0
    """How often it held at recorded runs and had ceased to before an imagined call came."""
    noticed: Noticed | None = None
    """The last beginning that a call found and nobody has taken up."""
    _quiet_at: datetime | None = None
    _holds_since: datetime | None = None
    _looked_at: datetime | None = None
    _gap_max: timedelta = ZERO
    _looked_between: bool = False
    _found: bool = False

    def recorded(self, at: datetime, *, holds: bool | None) -> None:
        """The recorded run that began *at* found that the condition *holds* or not; None leaves it as it was."""
        if holds is False:
            self.unseen += self._holds_since is not None and not self._found
            self._quiet_at = self._looked_at = at
            self._holds_since = None
            self._gap_max, self._looked_between, self._found = ZERO, False, False
        elif holds and self._holds_since is None:
            self._holds_since = at
            if self._quiet_at is None:
                self.held_at_first = self._found = True

    def looked(self, at: datetime) -> None:
        """An imagined call begins *at*."""
        if self._found or self._quiet_at is None or self._looked_at is None:
            return
        self._gap_max = max(self._gap_max, at - self._looked_at)
        self._looked_at = at
        if self._holds_since is None:
            self._looked_between = self._looked_between or at > self._quiet_at
            return
        self._found = True
        self.noticed = Noticed(
            at=at,
            after=self._quiet_at,
            by=self._holds_since,
            old=Delay(low=ZERO, high=self._holds_since - self._quiet_at),
            new=Delay(low=ZERO if self._looked_between else at - self._holds_since, high=self._gap_max),
        )

    def taken_up(self) -> Noticed | None:
        """The beginning that was found last; the next time it is None, until another one is found."""
        noticed, self.noticed = self.noticed, None
        return noticed
