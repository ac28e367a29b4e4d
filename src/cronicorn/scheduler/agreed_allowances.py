"""What tenants may spend, by tiers and by what was agreed with each."""

from cronicorn.domain.quota.allowance import Allowance, Tiers
from cronicorn.domain.quota.ports import Allowances, TermsRegister
from cronicorn.domain.quota.terms import ZoneNamed


class AgreedAllowances(Allowances):
    """Asks *register* each time, so that what is agreed counts at once and in all processes."""

    def __init__(self, register: TermsRegister, tiers: Tiers, zone_named: ZoneNamed) -> None:
        self._register = register
        self._tiers = tiers
        self._zone_named = zone_named

    async def of(self, tenant_id: str) -> Allowance:
        terms = await self._register.terms(tenant_id)
        return terms.allowance(self._tiers, self._zone_named)
