"""One run of chaos: workers, faults and editors at once, then peace, then the account."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.mechanism import Mechanism
from tests.chaos.checker import Violation, violations
from tests.chaos.editor import Editor, Rest
from tests.chaos.facts import Facts
from tests.chaos.fleet import Fleet, Shared, wall_minus_monotonic
from tests.chaos.generator import Fault, faults
from tests.chaos.history import Reader, Recorder, now
from tests.chaos.plan import Plan
from tests.chaos.recovery import MARGIN_S, recoveries
from tests.chaos.stores import Stores, open_stores
from tests.chaos.striking import Striker
from tests.servers.etcd import etcd_server
from tests.servers.ground import Ground
from tests.servers.postgres import restartable_server
from tests.servers.valkey import valkey_server

_UP_LOOK_S = 0.1
_EDIT_EVERY_S = 0.1
_CHECK_EVERY_S = 2.0
_CHECK_SHARE = 20
"""Checking takes at most one part in so many of the time."""
_PEACE_LOOK_S = 0.2
_PEACE_LOOKS_MAX = 200
"""How often it is looked whether everything has come to rest: a slot that lost leases in a row waits for its next."""


def run(plan: Plan, folder: Path) -> list[Violation]:
    """Make a run, keep its history in *folder*, and answer what it broke. Stops soon after the first violation."""
    plan = replace(plan, wall_minus_monotonic=wall_minus_monotonic())
    plan.write(folder)
    with _shared(plan, folder) as shared, Ground.make() as ground:
        return asyncio.run(_Run(plan, folder, shared, ground).whole())


def check(folder: Path) -> tuple[list[Violation], str]:
    """What the run kept in *folder* broke, and its figures."""
    plan, facts, rest = Plan.read(folder), Facts(), Rest.read(folder)
    for line in Reader(folder).lines():
        facts.add(line)
    found = violations(plan, facts, rest)
    return found, figures(plan, facts)


def figures(plan: Plan, facts: Facts) -> str:
    """What happened, in numbers."""
    settlings = [settling for claim in facts.claims.values() for settling in claim.settlings]
    answers = Counter("unknown" if each.answer is None else each.answer.partition(":")[0] for each in settlings)
    took = [each.took_s for each in recoveries(plan, facts) if each.took_s is not None]
    lines = {
        "seed": plan.seed,
        "store": f"{plan.backend} {plan.mechanism}" + (f", mutant: {plan.mutant}" if plan.mutant else ""),
        "claims": len(facts.claims),
        "settlements": dict(answers),
        "called more than once": sum(1 for times in facts.calls.values() if times > 1),
        "edits": len(facts.edits),
        "faults": dict(Counter(each.kind for each in facts.struck)),
        "recoveries": f"{len(took)}, the slowest {max(took, default=0):.2f} s",
    }
    return "\n".join(f"{name:22} {value}" for name, value in lines.items())


class _Run:
    def __init__(self, plan: Plan, folder: Path, shared: Shared, ground: Ground) -> None:
        self._plan = plan
        self._folder = folder
        self._shared = shared
        self._recorder = Recorder(folder, "parent")
        self._fleet = Fleet(plan, folder, shared, ground, self._recorder)
        self._striker = Striker(self._fleet, self._recorder, shared)
        self._reader = Reader(folder)
        self._facts = Facts()
        self._over = asyncio.Event()

    async def whole(self) -> list[Violation]:
        async with AsyncExitStack() as stack:
            stack.callback(self._recorder.close)
            plan = replace(self._plan, mutant=None)
            stores = await open_stores(plan, self._shared.url, self._shared.service_url)
            stack.push_async_callback(stores.aclose)
            editor = Editor(self._plan, stores, self._recorder)
            await editor.plant()
            stack.callback(self._fleet.close)
            self._fleet.start_all()
            await self._all_up()
            found = await self._storm(editor)
            if not found:
                rest = await self._peace(stores, editor)
                rest.write(self._folder)
                found = self._check(rest)
            return found

    async def _all_up(self) -> None:
        """Wait for every worker: what strikes before is over, the first wrong clock too, when a slow one comes up."""
        reader, heard_of = Reader(self._folder), 0
        while heard_of < self._plan.workers:
            await asyncio.sleep(_UP_LOOK_S)
            self._fleet.notice_deaths()
            heard_of += sum(line["what"] in {"up", "died"} for line in reader.lines())

    async def _storm(self, editor: Editor) -> list[Violation]:
        """Everything at once, until the time is over or a promise is broken."""
        began = now()
        under_way = [asyncio.create_task(self._strike(fault, began)) for fault in faults(self._plan)]
        editing = asyncio.create_task(self._edit(editor))
        found: list[Violation] = []
        wait_s = _CHECK_EVERY_S
        while not found and now() < began + self._plan.seconds:
            await asyncio.sleep(min(wait_s, max(began + self._plan.seconds - now(), 0)))
            _raise_from([*under_way, editing])
            self._fleet.notice_deaths()
            checked = now()
            found = self._check(None)
            wait_s = max(_CHECK_EVERY_S, (now() - checked) * _CHECK_SHARE)
        self._over.set()
        await editing  # An edit that is cut off halfway would be in no account.
        if found:
            for task in under_way:
                task.cancel()
        await asyncio.gather(*under_way, return_exceptions=bool(found))
        return found

    async def _strike(self, fault: Fault, began: float) -> None:
        await asyncio.sleep(max(began + fault.at - now(), 0))
        await self._striker.strike(fault)

    async def _edit(self, editor: Editor) -> None:
        while not self._over.is_set():
            await asyncio.sleep(_EDIT_EVERY_S)
            await editor.edit()

    async def _peace(self, stores: Stores, editor: Editor) -> Rest:
        """Wait until nothing is overdue, stop all workers in order, and read everything."""
        by = timedelta(seconds=self._plan.ttl_s + self._plan.poll_s + MARGIN_S)
        await asyncio.sleep(by.total_seconds())
        overdue = await _overdue(stores, by)
        for _ in range(_PEACE_LOOKS_MAX):
            if not overdue:
                break
            await asyncio.sleep(_PEACE_LOOK_S)
            overdue = await _overdue(stores, by)
        self._fleet.notice_deaths()
        running = filter(self._fleet.running, range(self._plan.workers))
        drains = [asyncio.to_thread(self._fleet.drain, number) for number in running]
        await asyncio.gather(*drains)
        return await editor.rest(overdue)

    def _check(self, rest: Rest | None) -> list[Violation]:
        for line in self._reader.lines(now()):
            self._facts.add(line)
        return violations(self._plan, self._facts, rest)


async def _overdue(stores: Stores, by: timedelta) -> int:
    try:
        return await stores.health.overdue(by)
    except UnavailableError:
        return 1


def _raise_from(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done() and (error := task.exception()) is not None:
            raise error


@contextmanager
def _shared(plan: Plan, folder: Path) -> Iterator[Shared]:
    if not plan.networked:
        yield Shared(url=f"sqlite:///{folder / 'cronicorn.db'}")
        return
    with ExitStack() as stack:
        server = stack.enter_context(restartable_server())
        shared = Shared(url=server.url(), server=server)
        if plan.mechanism is Mechanism.REDIS:
            valkey = stack.enter_context(valkey_server())
            shared = replace(shared, service=valkey, service_url=valkey.url)
        elif plan.mechanism is Mechanism.ETCD:
            etcd = stack.enter_context(etcd_server())
            shared = replace(shared, service=etcd, service_url=f"http://{etcd.address}/")
        yield shared
