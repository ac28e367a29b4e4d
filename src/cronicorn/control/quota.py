"""Tokens and runs of tenants: where one stands, and what is agreed with one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from cronicorn.control.execution_tiers import ExecutionStanding, ExecutionTiers
from cronicorn.control.findings import Findings
from cronicorn.control.permissions import operation
from cronicorn.domain.calendar import Calendar
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.instant import MICROSECOND, ZERO, shifted
from cronicorn.domain.permission import Operation
from cronicorn.domain.ports import Clock
from cronicorn.domain.principal import Principal
from cronicorn.domain.quota.allowance import Allowance, Budget, Tiers
from cronicorn.domain.quota.book import left_of
from cronicorn.domain.quota.bounds import ANALYSIS_TOKENS_MAX, COMPILE_TOKENS_LEAST
from cronicorn.domain.quota.decision import Mode, QuotaView
from cronicorn.domain.quota.ports import Quota, TermsRegister
from cronicorn.domain.quota.terms import Terms, ZoneNamed
from cronicorn.domain.unchanged import Unchanged, version_of_terms


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaRules:
    """What holds of all tenants."""

    tiers: Tiers
    mode: Mode
    zone_named: ZoneNamed


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaStanding:
    """Where a tenant stands, and by which rules."""

    tier: str
    mode: Mode
    allowance: Allowance
    view: QuotaView
    left: Mapping[Budget, int]
    """What each budget can still reserve. Both draw on one limit."""
    window: timedelta
    """How long the present window is."""
    resets_in: timedelta
    """How long it goes on, by the clock of this process."""
    execution: ExecutionStanding
    """What it may do beside asking a model, and its runs of the present month, by the same clock."""

    @property
    def calendar(self) -> Calendar:
        """How long windows are, and where they begin."""
        return self.allowance.calendar

    @property
    def reset_at(self) -> datetime:
        """When the next window begins."""
        return self.view.reset_at


_ROUND = 100
"""A limit that is advised is rounded up to whole hundreds."""
_NEEDED = (
    (Budget.ANALYSIS, "an analysis", ANALYSIS_TOKENS_MAX),
    (Budget.COMPILE, "a compile", COMPILE_TOKENS_LEAST),
)


def never_made(standing: QuotaStanding) -> Mapping[Budget, str]:
    """What the limit has no room for even in a whole window, each with a sentence that says so and which limit has.

    Where nothing may be spent, somebody wants it so; in the mode `soft` any limit has room for a call.
    """
    allowance = standing.allowance
    if not allowance.limit or standing.mode is Mode.SOFT:
        return {}
    return {
        budget: f"A limit of {allowance.limit:,} tokens never has room for {what}, which reserves {needed:,}: set"
        f" {ceil(least / _ROUND) * _ROUND:,} at least."
        for budget, what, needed in _NEEDED
        if allowance.cap(budget) < needed and (least := allowance.limit_for(budget, needed)) is not None
    }


class Quotas:
    """The token budgets of tenants, and beside them what their tier lets them do."""

    def __init__(
        self, quota: Quota, register: TermsRegister, rules: QuotaRules, clock: Clock, tiers: ExecutionTiers
    ) -> None:
        self._quota = quota
        self._register = register
        self._rules = rules
        self._clock = clock
        self._tiers = tiers

    @operation(Operation.QUOTA_SHOW)
    async def show(self, principal: Principal) -> QuotaStanding:
        """Where the tenant stands now. Raises UnavailableError."""
        terms = await self._register.terms(principal.tenant_id)
        allowance = terms.allowance(self._rules.tiers, self._rules.zone_named)
        seen = await self._quota.remaining(principal.tenant_id)
        now = self._clock.now()
        window = allowance.calendar.window_at(shifted(seen.reset_at, -MICROSECOND))
        return QuotaStanding(
            tier=terms.tier_among(self._rules.tiers),
            mode=self._rules.mode,
            allowance=allowance,
            view=seen,
            left={budget: left_of(seen, budget, allowance) for budget in Budget},
            window=window.end_at - window.start_at,
            resets_in=max(ZERO, seen.reset_at - now),
            execution=await self._tiers.standing(principal.tenant_id, now),
        )

    @operation(Operation.TERMS_AGREE)
    async def agree(
        self, principal: Principal, wanted: Terms, *, reset: bool = False, unchanged: Unchanged | None = None
    ) -> Terms:
        """Agree what *wanted* says with the tenant, and answer all that holds then. Only for who runs the installation.

        What it leaves out stays as it was, or with *reset* is as the settings say. Raises
        InvalidInputError for a tier or a zone that is not known, NotFoundError where the tenant is gone,
        PreconditionFailedError where what was agreed is not *unchanged*.
        """
        self._check(wanted)

        def edit(before: Terms) -> Terms:
            if unchanged is not None:
                unchanged.check(version_of_terms(before))
            return wanted.over(Terms() if reset else before)

        return await self._register.agree(principal.tenant_id, edit, principal)

    def _check(self, terms: Terms) -> None:
        findings = Findings()
        tiers = self._rules.tiers.allowances
        if terms.tier is not None and terms.tier not in tiers:
            findings.refuse("/tier", f"There is no tier {terms.tier!r}: name one of {', '.join(sorted(tiers))}.")
        if terms.zone is not None:
            try:
                self._rules.zone_named(terms.zone)
            except InvalidInputError as error:
                findings.refuse("/zone", str(error))
        findings.raise_errors()
