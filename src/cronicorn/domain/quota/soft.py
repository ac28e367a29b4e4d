"""What the soft mode may exceed a limit by, and when that is too much. Pure.

Whoever asks before the limit is used up is let through while calls in progress leave room: C × M tokens are reserved at
once at most, by all processes together. So no more than that comes on top of a limit that is one token short of being
used up: it is exceeded by C × M - 1 tokens at most.
"""

from dataclasses import dataclass

from cronicorn.domain.errors import InvalidInputError

WARN_PERCENT = 10
REFUSE_PERCENT = 20
_PER_CENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftBound:
    """By how much a limit may be exceeded in a window."""

    limit: int
    concurrency: int
    """Calls of one tenant that all processes together make at once, if each is as large as one may be."""
    call_tokens_max: int
    """What one call may cost at most: tokens sent, and the most that may come back."""

    def __post_init__(self) -> None:
        assert self.limit >= 0
        assert self.concurrency > 0
        assert self.call_tokens_max > 0

    @property
    def room(self) -> int:
        """What calls in progress may have reserved together, in tokens: `Allowance.soft_room`."""
        return self.concurrency * self.call_tokens_max

    @property
    def overrun_max(self) -> int:
        """Tokens above the limit, at most."""
        return self.room - 1

    @property
    def worrying(self) -> bool:
        """Whether an owner is to be warned: more than WARN_PERCENT of the limit."""
        return self._exceeds(WARN_PERCENT)

    def __str__(self) -> str:
        return (
            f"at most {self.overrun_max} tokens above the limit of {self.limit}: "
            f"{self.concurrency} calls at once of {self.call_tokens_max} tokens each"
        )

    def check(self, *, forced: bool = False) -> None:
        """Raise InvalidInputError when it is more than REFUSE_PERCENT of the limit, unless *forced*."""
        if self._exceeds(REFUSE_PERCENT) and not forced:
            raise InvalidInputError(
                f"The soft quota would allow {self}, which is more than {REFUSE_PERCENT} %: "
                "choose the mode reserve, make fewer or smaller calls at once, or force it."
            )

    def _exceeds(self, percent: int) -> bool:
        return self.room * _PER_CENT > percent * self.limit
