"""What a verification looks for in a store's rows, and what it found."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

EXAMPLES_MAX = 10
"""So many faults of one kind are described; the others are only counted."""


class Check(StrEnum):
    """What is looked at; MEANING says what must be, and which `Invariant` shows there."""

    STRUCTURE = "structure"
    PLACE = "place"
    READABLE = "readable"
    AGREEMENT = "agreement"
    ONE_SCHEDULE = "one_schedule"
    RESTING = "resting"
    LEASES = "leases"
    ONCE = "once"
    FENCES = "fences"
    NEVER_EARLY = "never_early"
    SLOTS = "slots"
    BOOKS = "books"
    TAKEN = "taken"
    TOKENS = "tokens"
    OWNERS = "owners"
    RUN_COUNTS = "run_counts"
    ROLLUPS = "rollups"
    WATCHES = "watches"
    DRAFTS = "drafts"
    ANALYSES = "analyses"
    INCIDENTS = "incidents"
    CLOCK = "clock"
    LEFT_OVERS = "left_overs"


MEANING = {
    Check.STRUCTURE: "tables, indexes, constraints and revision are those of this version",
    Check.PLACE: "each schedule lies where its tenant's are looked for",
    Check.READABLE: "every stored document can be read",
    Check.AGREEMENT: "columns say what the documents beside them say",
    Check.ONE_SCHEDULE: "I5: each endpoint has one schedule, and each schedule its endpoint",
    Check.RESTING: "I5: each endpoint is due, or rests for a reason",
    Check.LEASES: "I4, I13: a lease is whole or gone without a trace",
    Check.ONCE: "I1: no attempt at a slot has two runs, and what is to come has none",
    Check.FENCES: "I2, I3: the fences of runs grow, and none is above the newest",
    Check.NEVER_EARLY: "I7: no run began before its slot was due",
    Check.SLOTS: "every run is of a slot that was issued, before the one to come",
    Check.BOOKS: "every instant that is accounted for ran or was skipped, once",
    Check.TAKEN: "I6, I9: nothing waits for a worker much longer than it may",
    Check.TOKENS: "the books of tokens and the grants in progress add up",
    Check.OWNERS: "keychains, books of tokens and grants are of tenants that are there",
    Check.RUN_COUNTS: "runs are counted for a tenant and a month, no fewer than settlements say",
    Check.ROLLUPS: "the hours of endpoints count the runs that are there, and those of jobs all of their endpoints'",
    Check.WATCHES: "each endpoint that planners look at is watched, and no other",
    Check.DRAFTS: "each draft is of an endpoint of its tenant, and at most one of an endpoint is in force",
    Check.ANALYSES: "each analysis is of an endpoint of its tenant, and says which",
    Check.INCIDENTS: "one incident of a kind and subject is open, and what is over says how it ended",
    Check.CLOCK: "this machine's clock shows the store's time",
    Check.LEFT_OVERS: "nothing is left of deleted endpoints",
}
HARMLESS = frozenset({Check.CLOCK, Check.LEFT_OVERS, Check.OWNERS})
"""What is told but breaks nothing: leases follow the store's clock alone, pruning takes left-overs away, and who uses
the guard of tokens by itself may name tenants of his own.
"""


@dataclass(slots=True)
class Tally:
    """What became of one check."""

    checked: int = 0
    found: int = 0
    examples: list[str] = field(default_factory=list)


class Findings:
    """Tallies of all checks. With *stopped* no worker runs, and slots that wait are no fault."""

    def __init__(self, *, stopped: bool = False) -> None:
        self.tallies = {check: Tally() for check in Check}
        self.harmless = HARMLESS | {Check.TAKEN} if stopped else HARMLESS

    def expect(self, check: Check, holds: object, where: str, what: str) -> bool:
        """Note that *check* was made *where*, and *what* is wrong there unless it *holds*; answer whether it does."""
        self.note(check, 1, () if holds else (f"{where}: {what}",))
        return bool(holds)

    def note(self, check: Check, checked: int, faults: Sequence[str]) -> None:
        """Note that *check* was made so many times, and the *faults* that it brought to light."""
        tally = self.tallies[check]
        tally.checked += checked
        tally.found += len(faults)
        tally.examples.extend(faults[: EXAMPLES_MAX - len(tally.examples)])

    @property
    def broken(self) -> frozenset[Check]:
        """The checks that found what must not be."""
        return frozenset(check for check, tally in self.tallies.items() if tally.found and check not in self.harmless)

    @property
    def sound(self) -> bool:
        """Whether nothing is broken."""
        return not self.broken
