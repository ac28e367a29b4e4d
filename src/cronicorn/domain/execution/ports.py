"""The port of counted runs. What holds of the others in `cronicorn.domain.ports` holds of it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from cronicorn.domain.execution.limits import Standing


class RunBook(Protocol):
    """How many runs tenants had, by month; `JobStore.settle` writes it, where a settlement says so."""

    async def standing(self, tenant_ids: Collection[str], month_at: datetime) -> Mapping[str, Standing]:
        """Where each of *tenant_ids* stands in the month that begins at *month_at*; one that is not known stands at 0.

        Costs one statement, whatever the number of runs.
        """
        ...
