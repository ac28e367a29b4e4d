"""What was agreed with one tenant about its tokens, as it is stored."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import tzinfo

from cronicorn.domain.calendar import Calendar, Period
from cronicorn.domain.quota.allowance import TOKENS_MAX, Allowance, Tiers

ZoneNamed = Callable[[str], tzinfo]
"""The zone of an IANA name. Raises InvalidInputError for an unknown one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is different for one tenant; None leaves what its tier, or the settings, say."""

    tier: str | None = None
    limit: int | None = None
    """Tokens in a window."""
    period: Period | None = None
    zone: str | None = None
    """An IANA name."""

    def __post_init__(self) -> None:
        assert self.limit is None or 0 <= self.limit <= TOKENS_MAX

    def over(self, before: "Terms") -> "Terms":
        """*before* with what these say differently."""
        return Terms(
            tier=self.tier if self.tier is not None else before.tier,
            limit=self.limit if self.limit is not None else before.limit,
            period=self.period if self.period is not None else before.period,
            zone=self.zone if self.zone is not None else before.zone,
        )

    def tier_among(self, tiers: Tiers) -> str:
        """The tier that counts: the default one where the one that was agreed is no more."""
        return self.tier if self.tier is not None and self.tier in tiers.allowances else tiers.default

    def allowance(self, tiers: Tiers, zone_named: ZoneNamed) -> Allowance:
        """What the tenant may spend. Raises what *zone_named* does."""
        usual = tiers.allowances[self.tier_among(tiers)]
        calendar = Calendar(
            period=self.period if self.period is not None else usual.calendar.period,
            zone=zone_named(self.zone) if self.zone is not None else usual.calendar.zone,
        )
        limit = self.limit if self.limit is not None else usual.limit
        return replace(usual, limit=limit, calendar=calendar)
