"""The story the demonstration tells: what the shop goes through, and what a person does about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

SECONDS_DEFAULT = 120.0
SECONDS_MIN = 12.0
"""Below it there is no room for all that happens."""
SECONDS_MAX = 3_600.0


class Phase(StrEnum):
    """How the shop is doing."""

    CALM = "calm"
    FLASH_SALE = "flash sale"
    FAILING = "failing"
    RECOVERED = "recovered"


class Deed(StrEnum):
    """What a person does during the story, through REST."""

    RUN_REPORT = "run-report"
    HINT_STOCK = "hint-stock"
    PAUSE_NEWSLETTER = "pause-newsletter"
    RESUME_NEWSLETTER = "resume-newsletter"
    CLEAR_STOCK = "clear-stock"
    RESET_STOCK = "reset-stock"


_PHASES: Mapping[Phase, float] = {
    Phase.CALM: 0.0,
    Phase.FLASH_SALE: 0.25,
    Phase.FAILING: 0.55,
    Phase.RECOVERED: 0.78,
}
_DEEDS: Mapping[Deed, float] = {
    Deed.RUN_REPORT: 0.12,
    Deed.HINT_STOCK: 0.30,
    Deed.PAUSE_NEWSLETTER: 0.32,
    Deed.RESUME_NEWSLETTER: 0.50,
    Deed.CLEAR_STOCK: 0.53,
    Deed.RESET_STOCK: 0.80,
}


@dataclass(frozen=True, slots=True)
class Story:
    """The story, told in this many seconds."""

    seconds: float = SECONDS_DEFAULT

    def phase(self, elapsed: float) -> Phase:
        """The phase *elapsed* seconds after the shop opened."""
        return [phase for phase, start in _PHASES.items() if elapsed >= start * self.seconds or not start][-1]

    def starts_at(self, phase: Phase) -> float:
        """Seconds from the opening to the beginning of *phase*."""
        return _PHASES[phase] * self.seconds

    def deeds_until(self, elapsed: float) -> list[Deed]:
        """What the person has to have done by now, in order."""
        return [deed for deed, at in _DEEDS.items() if elapsed >= at * self.seconds]

    def scaled(self, seconds: int, least: int) -> int:
        """So many seconds of the two-minute story in this one: a whole number, *least* or more."""
        return max(least, round(seconds * self.seconds / SECONDS_DEFAULT))
