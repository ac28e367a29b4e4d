"""A planner in a process of its own, over a database whose time a file tells.

Its order has `url`, `model`, `clock` unless the time is real, and `way`: to look until nothing is due, to look until
killed, to compile an `endpoint` until killed, or where to die by its own hand.
"""

import asyncio
import logging
import os
import signal
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from cronicorn.adapters.ai.connecting import connected
from cronicorn.adapters.cron.zone import zone_rules
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.postgres.quota import PostgresQuota
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.control.identity import random_id
from cronicorn.control.policies import Policies
from cronicorn.domain.compilation.draft import CompileReason
from cronicorn.domain.errors import ConflictError, QuotaExceededError, UnavailableError
from cronicorn.domain.permission import EVERYTHING
from cronicorn.domain.principal import Principal
from cronicorn.domain.quota.allowance import Allowance, Tiers
from cronicorn.scheduler.agreed_allowances import AgreedAllowances
from cronicorn.scheduler.compiling import Compiler
from cronicorn.scheduler.drafting import Drafting, Records
from cronicorn.scheduler.planner import ModelPlanner, PlannerPorts, PlannerSettings
from cronicorn.testing.contracts.stores import CRON, TENANT
from tests.attacks.file_clock import FileClock

LIMIT = 100_000
TIERS = Tiers(allowances={"all": Allowance(limit=LIMIT, burst=None)}, default="all")
KEY = "sk-process-"
"""The key that a planner sends the model begins so, and ends with the number of its process."""

PAUSE = timedelta(milliseconds=20)
DRAIN, LOOP, COMPILE = "drain", "loop", "compile"
DEATHS = {
    "claimed": ("watches", "claim_due", "after"),
    "reserved": ("quota", "reserve", "after"),
    "answered": ("quota", "commit", "before"),
    "charged": ("quota", "commit", "after"),
    "writing": ("watches", "settle", "inside"),
    "written": ("watches", "settle", "after"),
    "compiling": ("drafts", "make", "before"),
}
"""Where a planner dies: in which call of which port."""
ASKED, FROZEN = "asked", "frozen"
"""Others decide what becomes of it while it asks; and it freezes before it writes."""


class Dying:
    """Does what *inner* does, and kills this process before, inside or after the call of *method*."""

    def __init__(self, inner, method, when):
        self._inner, self._method, self._when = inner, method, when

    def __getattr__(self, name):
        found = getattr(self._inner, name)
        return found if name != self._method else lambda *given, **more: self._deadly(found, given, more)

    async def _deadly(self, call, given, more):
        if self._when == "before":
            die()
        if self._when == FROZEN:
            os.kill(os.getpid(), signal.SIGSTOP)
            return await call(*given, **more)
        if self._when == "inside":  # An edit is made in the transaction that writes a look.
            watch, look = given
            given = (watch, replace(look, edit=die))
        await call(*given, **more)
        return die()


def die(*_):
    """End as kill -9 does."""
    os.kill(os.getpid(), signal.SIGKILL)


async def _main(order):
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    judge = FileClock(Path(order["clock"])) if "clock" in order else None
    stores = await PostgresStores.open(order["url"], judge, PostgresOptions(connections_max=4))
    quota = PostgresQuota(stores.database, AgreedAllowances(stores.terms, TIERS, zone_rules))
    async with connected("openai:fake-1", base_url=order["model"], api_key=f"{KEY}{os.getpid()}") as client:
        compiler = Compiler(client, quota, "fake-1")
        policies = Policies(stores.endpoints, stores.runs, CRON)
        records = Records(endpoints=stores.endpoints, runs=stores.runs, drafts=stores.drafts, backtester=policies)
        drafts = Drafting(records, compiler, CRON, random_id, lambda: None)
        parts: dict[str, Any] = {"watches": stores.watches, "quota": quota, "drafts": drafts}
        if place := {**DEATHS, FROZEN: ("watches", "settle", FROZEN)}.get(order["way"]):
            part, method, when = place
            parts[part] = Dying(parts[part], method, when)
        ports = PlannerPorts(endpoints=stores.endpoints, history=stores.runs, client=client, **parts)
        chosen = PlannerSettings(model="fake-1", parallel=4 if order["way"] in {DRAIN, LOOP} else 1, poll=PAUSE)
        planner = ModelPlanner(ports, chosen, judge or SystemClock(), CRON, random_id)
        if order["way"] == COMPILE:
            await _compile(drafts, order["endpoint"])
        while await planner.look_once():
            pass
        if order["way"] != DRAIN:
            await planner.run()


async def _compile(drafts, endpoint_id):
    while True:
        with suppress(ConflictError, QuotaExceededError, UnavailableError):
            await drafts.make(
                Principal(tenant_id=TENANT, actor="ann", permissions=EVERYTHING), endpoint_id, CompileReason.ASKED
            )
        await asyncio.sleep(PAUSE.total_seconds())


def run(order: dict[str, str], log: str) -> None:
    """Work by *order*, and write to *log*."""
    said = os.open(log, os.O_WRONLY | os.O_CREAT)
    os.dup2(said, 1)
    os.dup2(said, 2)
    asyncio.run(_main(order))
