"""What a tenant must have used and reserved, by simple addition over all grants that were ever made."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cronicorn.domain.calendar import Calendar
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.quota.decision import GRANT_KEPT, Mode


@dataclass(slots=True, kw_only=True)
class Entry:
    """One grant."""

    tenant_id: str
    key: str
    window_at: datetime
    budget: Budget
    estimate: int
    expires_at: datetime
    charged: bool
    actual: int | None = None
    """None until it has ended."""


@dataclass(slots=True, kw_only=True)
class Ledger:
    """All grants, and what was recorded without one."""

    calendar: Calendar
    mode: Mode
    entries: list[Entry] = field(default_factory=list)
    recorded: dict[tuple[str, datetime], int] = field(default_factory=dict)

    def grant(self, tenant_id: str, key: str, budget: Budget, *, estimate: int, now: datetime, ttl: timedelta) -> None:
        """Enter a grant, unless its key is known."""
        if self.find(tenant_id, key) is None:
            window_at = self.calendar.window_at(now).start_at
            self.entries.append(
                Entry(
                    tenant_id=tenant_id,
                    key=key,
                    window_at=window_at,
                    budget=budget,
                    estimate=estimate,
                    expires_at=now + ttl,
                    charged=self.mode is Mode.ADVISORY,
                )
            )

    def find(self, tenant_id: str, key: str) -> Entry | None:
        """The grant of a key."""
        return next((entry for entry in self.entries if (entry.tenant_id, entry.key) == (tenant_id, key)), None)

    def remembered(self, now: datetime) -> list[Entry]:
        """The grants that every store still knows at *now*."""
        return [entry for entry in self.entries if now < entry.expires_at + GRANT_KEPT]

    def record(self, tenant_id: str, tokens: int, now: datetime) -> None:
        """Enter what was used without a grant."""
        place = tenant_id, self.calendar.window_at(now).start_at
        self.recorded[place] = self.recorded.get(place, 0) + tokens

    def charge_expired(self, tenant_id: str, now: datetime) -> None:
        """What has expired by *now* counts as used from now on."""
        for entry in self.entries:
            entry.charged |= entry.tenant_id == tenant_id and entry.expires_at <= now

    def standing(self, tenant_id: str, now: datetime) -> tuple[int, int]:
        """What is used and what is reserved in the window that holds *now*."""
        window_at = self.calendar.window_at(now).start_at
        own = [entry for entry in self.entries if (entry.tenant_id, entry.window_at) == (tenant_id, window_at)]
        ended = sum(entry.actual for entry in own if entry.actual is not None)
        charged = sum(entry.estimate for entry in own if entry.actual is None and entry.charged)
        reserved = sum(entry.estimate for entry in own if entry.actual is None and not entry.charged)
        return self.recorded.get((tenant_id, window_at), 0) + ended + charged, reserved

    def beyond(self, tenant_id: str, now: datetime) -> int:
        """What no reservation stands for: recorded without one, or used above an estimate."""
        window_at = self.calendar.window_at(now).start_at
        own = (entry for entry in self.entries if (entry.tenant_id, entry.window_at) == (tenant_id, window_at))
        above = sum(max(0, (entry.actual or 0) - entry.estimate) for entry in own)
        return self.recorded.get((tenant_id, window_at), 0) + above
