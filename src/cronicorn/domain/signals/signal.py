"""The signals there are, and which of them an owner lets speak."""

from dataclasses import dataclass
from enum import StrEnum


class Signal(StrEnum):
    """Something in an answer that says, or shows, when to call again. The value is the key of its hints."""

    RETRY_AFTER = "retry-after"
    """The Retry-After field of a failed answer, and the status 429 without one."""
    RATE_LIMIT = "rate-limit"
    """The RateLimit fields: how many calls are left, and until when."""
    SCHEDULE_HINT = "schedule-hint"
    """Our own Schedule-Hint field, by which an endpoint steers its own schedule."""
    HEALTH = "health"
    """A status of 500 or more, a timeout, or a word such as `degraded` in the body."""
    BODY_HINT = "body-hint"
    """An interval that the body asks for by a well-known name."""
    ETA = "eta"
    """When something will be done, by a well-known name in the body."""
    CACHE_CONTROL = "cache-control"
    """How long the answer stays fresh: no call before."""
    NOT_MODIFIED = "not-modified"
    """Conditional requests, and the 304 that answers them."""
    TREND = "trend"
    """A number in the body that has left its usual range."""

    __hash__ = str.__hash__  # That of enumerations is written in Python, and each answer asks for a dozen.


OPT_IN = Signal.CACHE_CONTROL
"""The one signal that speaks only when an owner asks for it."""
ON_BY_DEFAULT: frozenset[Signal] = frozenset(Signal) - {OPT_IN}
_PROTOCOL = frozenset({Signal.RETRY_AFTER, Signal.RATE_LIMIT})
"""What a client of HTTP heeds in any case."""


class Adapt(StrEnum):
    """How far signals may change a schedule."""

    AUTO = "auto"
    """They delay anything, and tighten what is safe: GET and HEAD on interval schedules that have a minimum."""
    ON = "on"
    """They tighten whatever the method and the schedule."""
    OFF = "off"
    """Only the delays that HTTP itself asks for remain: Retry-After and RateLimit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What an owner lets the signals of one endpoint do."""

    adapt: Adapt = Adapt.AUTO
    off: frozenset[Signal] = frozenset()
    """Signals that stay silent, whatever else is said here."""
    on: frozenset[Signal] = frozenset()
    """Signals that speak though they don't by default."""

    def speaks(self, signal: Signal) -> bool:
        """Whether *signal* is listened to."""
        if self.off and signal in self.off:
            return False
        if self.adapt is Adapt.OFF:
            return signal in _PROTOCOL
        return signal is not OPT_IN or (bool(self.on) and signal in self.on)


DEFAULT = Signals()
"""What an owner lets them do who has said nothing."""
