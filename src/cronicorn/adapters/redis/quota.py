"""Tokens of tenants in one Redis.

The server's clock says which window it is. It knows no time zones, so a script comes with the window that it was when
the server last told its time, and answers the time if that is over.
"""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from redis.asyncio import Redis
from redis.commands.core import AsyncScript

from cronicorn.adapters.redis.connecting import TIMEOUT_DEFAULT, async_client, translated
from cronicorn.adapters.redis.quota_scripts import LOOK, RECORD, RESERVE, SETTLE
from cronicorn.domain.calendar import Window
from cronicorn.domain.errors import InvalidInputError, NotFoundError, UnavailableError
from cronicorn.domain.fields import length_us, us
from cronicorn.domain.instant import EPOCH, instant_of
from cronicorn.domain.ports import Clock
from cronicorn.domain.quota.allowance import Allowance, Budget
from cronicorn.domain.quota.book import BOOKS_KEPT, Book, granted, refusal, view
from cronicorn.domain.quota.decision import (
    GRANT_KEPT,
    GRANT_TTL_MAX,
    Ask,
    BudgetTokens,
    Decision,
    Mode,
    QuotaView,
    checked_tokens,
)
from cronicorn.domain.quota.ports import Allowances, Quota, QuotaGuard

_MILLISECOND = timedelta(milliseconds=1)
_GRANT_KEPT_MS = (GRANT_TTL_MAX + GRANT_KEPT) // _MILLISECOND
_BOOK_KEPT_MS = (BOOKS_KEPT + timedelta(days=31)) // _MILLISECOND
_ATTEMPTS_MAX = 10
"""So often the window may end while it is asked about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaScripts:
    """One may be put in the place of another, so that a test can show what a weaker one would let through."""

    reserve: str = RESERVE
    settle: str = SETTLE
    look: str = LOOK
    record: str = RECORD


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisPlace:
    """Where the books of an installation lie."""

    client: Redis
    prefix: str
    """Differs between installations."""
    judge: Clock | None = None
    """Stands in for the server's clock: in tests."""

    @classmethod
    def open(cls, url: str, *, prefix: str, judge: Clock | None = None) -> Self:
        """The place under *prefix* in the Redis at a `redis://` URL. Connects when first asked.

        Raises InvalidInputError for another URL.
        """
        return cls(client=async_client(url, TIMEOUT_DEFAULT), prefix=prefix, judge=judge)

    async def aclose(self) -> None:
        """Close all connections. Closing again does nothing."""
        await self.client.aclose(close_connection_pool=True)


_RIGHT = QuotaScripts()


class RedisQuota(Quota, QuotaGuard):
    """Keeps the books of all tenants. The server must not evict keys (`maxmemory-policy noeviction`).

    There is no mode `advisory`: a script is one step, so a lock would keep nobody out.
    """

    def __init__(
        self, place: RedisPlace, allowances: Allowances, mode: Mode = Mode.RESERVE, scripts: QuotaScripts = _RIGHT
    ) -> None:
        if mode is Mode.ADVISORY:
            raise InvalidInputError("A quota in Redis has no mode advisory: choose reserve, which exceeds nothing.")
        client = place.client
        self._prefix = f"{{{place.prefix}}}quota:"
        self._judge = place.judge
        self._allowances = allowances
        self._mode = mode
        self._reserve = client.register_script(scripts.reserve)
        self._end = client.register_script(scripts.settle)
        self._look = client.register_script(scripts.look)
        self._record = client.register_script(scripts.record)
        self._told_at = EPOCH
        """What the server's clock showed last."""

    async def reserve(self, tenant_id: str, estimate: int, *, budget: Budget, key: str, ttl: timedelta) -> Decision:
        ask = Ask(tenant_id=tenant_id, estimate=estimate, budget=budget, key=key, ttl=ttl)
        allowance = await self._allowances.of(tenant_id)
        for _ in range(_ATTEMPTS_MAX):
            window = self._window(allowance)
            answer = await self._asked_to_reserve(ask, allowance, window)
            match answer[0]:
                case "window":
                    continue
                case "denied":
                    denied = refusal(_book(answer), ask, allowance, self._mode, self._told_at)
                    assert denied is not None, "the script and the rule differ"
                    return denied
                case _:
                    return granted(_book(answer), ask, allowance)
        raise _no_window()

    async def commit(self, grant_id: str, actual: int | None) -> None:
        await self._settle(grant_id, str(checked_tokens(actual)) if actual is not None else "")

    async def release(self, grant_id: str) -> None:
        await self._settle(grant_id, "0")

    async def remaining(self, tenant_id: str) -> QuotaView:
        allowance = await self._allowances.of(tenant_id)
        for _ in range(_ATTEMPTS_MAX):
            window = self._window(allowance)
            keys = [self._book_key(tenant_id, allowance, window), self._open_key(tenant_id)]
            answer = await self._told(self._look, keys, [*self._when(window), self._grants, str(_GRANT_KEPT_MS)])
            if answer[0] != "window":
                return view(_book(answer), allowance)
        raise _no_window()

    async def can_proceed(self, tenant_id: str) -> bool:
        standing = await self.remaining(tenant_id)
        return standing.used < standing.limit

    async def record_usage(self, tenant_id: str, tokens: int) -> None:
        used, allowance = checked_tokens(tokens), await self._allowances.of(tenant_id)
        event = f"{self._prefix}event:{secrets.token_hex(16)}"
        for _ in range(_ATTEMPTS_MAX):
            window = self._window(allowance)
            keys = [self._book_key(tenant_id, allowance, window), event]
            answer = await self._told(self._record, keys, [*self._when(window), str(used), str(_BOOK_KEPT_MS)])
            if answer[0] != "window":
                return
        raise _no_window()

    async def _asked_to_reserve(self, ask: Ask, allowance: Allowance, window: Window) -> list[str]:
        keys = [
            self._book_key(ask.tenant_id, allowance, window),
            self._open_key(ask.tenant_id),
            f"{self._prefix}burst:{ask.tenant_id}",
            f"{self._grants}{ask.grant_id}",
        ]
        burst = allowance.burst
        bounds = (burst.every, burst.every * (burst.calls - 1)) if burst is not None else None
        return await self._told(
            self._reserve,
            keys,
            [
                *self._when(window),
                self._grants,
                ask.grant_id,
                str(length_us(ask.ttl)),
                self._mode.value,
                str(ask.estimate),
                ask.budget.value,
                str(allowance.limit),
                str(allowance.cap(ask.budget)),
                *([str(length_us(bound)) for bound in bounds] if bounds is not None else ["", ""]),
                str(_GRANT_KEPT_MS),
                str(_BOOK_KEPT_MS),
                str(allowance.soft_room) if allowance.soft_room is not None else "",
            ],
        )

    async def _settle(self, grant_id: str, actual: str) -> None:
        with translated("quotas"):
            async with asyncio.timeout(TIMEOUT_DEFAULT.total_seconds()):
                there = await self._end([f"{self._grants}{grant_id}"], [actual, str(_GRANT_KEPT_MS)])
        if not there:
            raise NotFoundError(f"There is no grant {grant_id}.")

    async def _told(self, script: AsyncScript, keys: Sequence[str], arguments: Sequence[str]) -> list[str]:
        """What *script* answers; its second part is the time."""
        with translated("quotas"):
            async with asyncio.timeout(TIMEOUT_DEFAULT.total_seconds()):
                parts = await script(keys, arguments)
        answer = [part.decode() for part in parts]
        self._told_at = instant_of(int(answer[1]))
        return answer

    def _window(self, allowance: Allowance) -> Window:
        return allowance.calendar.window_at(self._told_at)

    def _when(self, window: Window) -> tuple[str, str, str]:
        now = str(us(self._judge.now())) if self._judge is not None else ""
        return now, str(us(window.start_at)), str(us(window.end_at))

    @property
    def _grants(self) -> str:
        return f"{self._prefix}grant:"

    def _open_key(self, tenant_id: str) -> str:
        return f"{self._prefix}open:{tenant_id}"

    def _book_key(self, tenant_id: str, allowance: Allowance, window: Window) -> str:
        return f"{self._prefix}book:{allowance.calendar.name}:{us(window.start_at)}:{tenant_id}"


def _book(answer: Sequence[str]) -> Book:
    """The book in what a script answers."""
    _, _, start, end, burst, *counters = answer
    used_c, reserved_c, used_a, reserved_a = (int(counter) for counter in counters)
    return Book(
        window=Window(start_at=_instant(start), end_at=_instant(end)),
        parts={
            Budget.COMPILE: BudgetTokens(used=used_c, reserved=reserved_c),
            Budget.ANALYSIS: BudgetTokens(used=used_a, reserved=reserved_a),
        },
        burst_at=_instant(burst) if burst else None,
    )


def _instant(text: str) -> datetime:
    return instant_of(int(text))


def _no_window() -> UnavailableError:
    return UnavailableError("Redis can't be used for quotas: its clock shows another time whenever it is asked.")
