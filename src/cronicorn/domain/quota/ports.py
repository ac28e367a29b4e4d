"""The ports of quotas. What holds of the others in `cronicorn.domain.ports` holds of these."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from cronicorn.domain.principal import Principal
from cronicorn.domain.quota.allowance import Allowance, Budget
from cronicorn.domain.quota.decision import Decision, QuotaView
from cronicorn.domain.quota.terms import Terms


class Quota(Protocol):
    """The books of all tenants' tokens: reserve before a call, commit or release after it."""

    async def reserve(self, tenant_id: str, estimate: int, *, budget: Budget, key: str, ttl: timedelta) -> Decision:
        """Set *estimate* tokens aside for one call, for *ttl*; or say why not, and nothing changes.

        *key* names the call within the tenant: asked again, it answers the same grant and reserves nothing more, also
        when that grant has ended. A grant belongs to the window in which it was made. One that nobody ends within *ttl*
        is charged its estimate, by whoever next reserves or looks. Raises InvalidInputError for numbers out of bounds.
        """
        ...

    async def commit(self, grant_id: str, actual: int | None) -> None:
        """Charge a grant what its call used, even above the estimate; None, when that is not known, the estimate.

        The first commit or release of a grant counts, others change nothing. It may come late: what an expired grant
        was charged is corrected. Raises NotFoundError for a grant that was never made, or ended over GRANT_KEPT ago.
        """
        ...

    async def release(self, grant_id: str) -> None:
        """End a grant whose call was not made: it is charged nothing. Otherwise as `commit`."""
        ...

    async def remaining(self, tenant_id: str) -> QuotaView:
        """Where the tenant stands now."""
        ...


class QuotaGuard(Protocol):
    """A tenant's token budget, soft: check, call, record."""

    async def can_proceed(self, tenant_id: str) -> bool:
        """Whether the tenant's used tokens are below its limit now."""
        ...

    async def record_usage(self, tenant_id: str, tokens: int) -> None:
        """Charge *tokens* to the tenant, past the limit if need be."""
        ...


class QuotaUpkeep(Protocol):
    """Keeps books small that nobody asks for any more. Stores whose rows end by themselves have no need of it."""

    async def prune(self, before: datetime, limit: int) -> int:
        """Forget up to *limit* grants whose time was over before *before*, and how many it were.

        Grants that nobody ended are charged first, for up to *limit* tenants. No grant goes within GRANT_KEPT after its
        time, whatever *before* says, and no book within BOOKS_KEPT after its window, or while it has grants.
        """
        ...


class Allowances(Protocol):
    """What each tenant may spend."""

    async def of(self, tenant_id: str) -> Allowance:
        """The tenant's allowance now."""
        ...


class TermsRegister(Protocol):
    """What was agreed with each tenant about its tokens."""

    async def terms(self, tenant_id: str) -> Terms:
        """What was agreed with the tenant; nothing where nobody did, or where no such tenant is."""
        ...

    async def agree(self, tenant_id: str, edit: Callable[[Terms], Terms], by: Principal | None = None) -> Terms:
        """From now on what *edit* makes of what was agreed holds, and is answered.

        Nobody agrees on anything else meanwhile. Raises NotFoundError, and what *edit* raises; nothing changes then.
        """
        ...
