"""How long history is kept: of each tenant, failures apart. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from cronicorn.domain.instant import FIRST_INSTANT, shifted


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFor:
    """How long what ended is kept."""

    runs: timedelta
    """Runs that did not fail, and skips."""
    failures: timedelta
    """Runs that failed."""

    @property
    def longest(self) -> timedelta:
        return max(self.runs, self.failures)


class RunPart(NamedTuple):
    """Some of the runs that ended in a span, and with `failed` false the skips."""

    tenants: frozenset[str]
    inside: bool
    """Those of *tenants*; false: those of all others."""
    failed: bool
    after: datetime
    before: datetime


class PrunedPart(NamedTuple):
    """What became of a part."""

    removed: int
    until: datetime
    """Up to here nothing of the part is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retentions:
    """How long the history of each tenant is kept."""

    usual: KeptFor
    of_tenants: Mapping[str, KeptFor] = field(default_factory=dict)
    """Those for whom it is different."""

    @property
    def longest(self) -> timedelta:
        """What is older is nobody's: it goes whole days at a time where a store keeps it by the day."""
        return max(each.longest for each in (self.usual, *self.of_tenants.values()))

    def parts(self, now: datetime) -> Iterator[RunPart]:
        """What goes at *now* although others may still be there."""
        groups: list[tuple[frozenset[str], bool, KeptFor]] = [(frozenset(self.of_tenants), False, self.usual)]
        groups += [(frozenset({tenant_id}), True, kept) for tenant_id, kept in sorted(self.of_tenants.items())]
        for tenants, inside, kept in groups:
            for failed, length in ((False, kept.runs), (True, kept.failures)):
                if length < self.longest:
                    yield RunPart(tenants, inside, failed, FIRST_INSTANT, shifted(now, -length))
