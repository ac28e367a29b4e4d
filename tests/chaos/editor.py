"""The people and agents of a run: they add, steer, pause, change and delete endpoints while everything else happens."""

import pickle
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from cronicorn.domain.call import Request
from cronicorn.domain.editing import edited
from cronicorn.domain.endpoint import Baseline, CatchUp, Job, JobEndpoint, RetryPolicy
from cronicorn.domain.errors import ConflictError, NotFoundError, UnavailableError
from cronicorn.domain.fields import us
from cronicorn.domain.fixtures import a_job, an_endpoint
from cronicorn.domain.history import RunQuery
from cronicorn.domain.instant import EPOCH
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Change, Stored
from cronicorn.domain.slot import Skip
from cronicorn.testing.contracts.stores import CRON, Stores, start
from cronicorn.testing.store_machine.edits import EDITS, Edit
from tests.chaos.history import Recorder, now
from tests.chaos.plan import Plan

FINAL = "final.pickle"
INTERVAL_EDIT = "interval"
_TENANTS = 4
_INTERVALS_S = (0.4, 0.6, 1.0, 1.5, 2.0)
_LENGTH_S = (0.2, 3.0)
_ALL = 1_000_000
_REQUEST = Request(url="http://127.0.0.1:8000/", execution_max=timedelta(seconds=4))


@dataclass(frozen=True, slots=True, kw_only=True)
class Final:
    """An endpoint with all its past, when everything had come to rest."""

    endpoint: JobEndpoint
    read_at: datetime
    """By the store's clock."""
    leased: bool
    runs: tuple[Run, ...]
    skips: tuple[Skip, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """The store when everything had come to rest."""

    endpoints: tuple[Final, ...]
    overdue: int
    """Slots that nobody took although everything was well again."""

    def write(self, folder: Path) -> None:
        (folder / FINAL).write_bytes(pickle.dumps(self))

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """None while the run goes on."""
        file = folder / FINAL
        rest = pickle.loads(file.read_bytes()) if file.exists() else None
        assert rest is None or isinstance(rest, cls)
        return rest


class Editor:
    """Edits at random, and writes down what it asked for and whether it was done."""

    def __init__(self, plan: Plan, stores: Stores, recorder: Recorder) -> None:
        self._plan = plan
        self._stores = stores
        self._recorder = recorder
        self._chance = random.Random(f"{plan.seed} editor")
        self._endpoints: dict[str, str] = {}
        self._count = 0

    async def plant(self) -> None:
        """Make tenants' jobs, and all endpoints that the plan wants."""
        for number in range(_TENANTS):
            await self._stores.jobs.add(a_job(id=f"job{number}", tenant_id=f"t{number}"))
        for _ in range(self._plan.endpoints):
            await self._add()

    async def edit(self) -> None:
        """Do one thing."""
        roll = self._chance.random()
        endpoint_id = self._chance.choice(list(self._endpoints))
        if roll < 0.06:
            await self._delete(endpoint_id)
            await self._add()
        elif roll < 0.12:
            await self._change(endpoint_id, INTERVAL_EDIT, self._interval())
        else:
            edit = self._chance.choices(EDITS, [_weight(each) for each in EDITS])[0]
            length = timedelta(seconds=self._chance.uniform(*_LENGTH_S))
            await self._change(
                endpoint_id, edit.name, lambda endpoint, job, stored: edit.apply(endpoint, job, stored, length)
            )

    async def rest(self, overdue: int) -> Rest:
        """Everything that is stored."""
        found: list[Final] = []
        for number in range(_TENANTS):
            for endpoint, stored in await self._stores.endpoints.list(f"t{number}", f"job{number}"):
                page = await self._stores.runs.list(endpoint.tenant_id, endpoint.id, RunQuery(limit=_ALL))
                skips = await self._stores.runs.skips(endpoint.tenant_id, endpoint.id, _ALL)
                found.append(
                    Final(
                        endpoint=endpoint,
                        read_at=stored.now,
                        leased=await self._stores.run_control.held(endpoint.tenant_id, endpoint.id) is not None,
                        runs=page.runs,
                        skips=skips.skips,
                    )
                )
        return Rest(endpoints=tuple(found), overdue=overdue)

    async def _add(self) -> None:
        self._count += 1
        endpoint_id, tenant = f"ep{self._count}", self._count % _TENANTS
        endpoint = an_endpoint(
            id=endpoint_id,
            name=endpoint_id,
            tenant_id=f"t{tenant}",
            job_id=f"job{tenant}",
            request=_REQUEST,
            baseline=self._baseline(),
            retries=RetryPolicy(count=self._chance.choice([0, 0, 1]), backoff_min=timedelta(seconds=0.2)),
            catch_up=CatchUp(window=timedelta(seconds=self._chance.choice([1, 5, 60]))),
        )
        since_us: list[int] = []

        def started(job: Job, new: JobEndpoint, at: datetime) -> JobEndpoint:
            since_us.append(us(at))
            return start(job, new, at)

        self._endpoints[endpoint_id] = endpoint.tenant_id
        await self._recorded(endpoint_id, "add", self._stores.endpoints.add(endpoint, started), since_us)

    async def _delete(self, endpoint_id: str) -> None:
        tenant_id = self._endpoints.pop(endpoint_id)
        await self._recorded(endpoint_id, "delete", self._stores.endpoints.delete(tenant_id, endpoint_id))

    async def _change(self, endpoint_id: str, name: str, edit: Callable[[JobEndpoint, Job, Stored], Change]) -> None:
        tenant_id = self._endpoints[endpoint_id]
        await self._recorded(endpoint_id, name, self._stores.endpoints.change(tenant_id, endpoint_id, edit))

    async def _recorded(
        self, endpoint_id: str, name: str, work: Coroutine[Any, Any, object], since_us: list[int] | None = None
    ) -> None:
        sent, answer = now(), "done"
        self._recorder.say("editing", endpoint=endpoint_id, edit=name)
        try:
            await work
        except (ConflictError, NotFoundError) as error:
            answer = type(error).__name__
        except UnavailableError as error:
            answer = f"unavailable: {error}"
        since = since_us[-1] if since_us else None
        self._recorder.say("edited", endpoint=endpoint_id, edit=name, sent=sent, answer=answer, since_us=since)

    def _baseline(self) -> Baseline:
        return Baseline(interval=timedelta(seconds=self._chance.choice(_INTERVALS_S)), anchor_at=EPOCH)

    def _interval(self) -> Callable[[JobEndpoint, Job, Stored], Change]:
        baseline = self._baseline()
        return lambda endpoint, _, stored: edited(endpoint, replace(endpoint, baseline=baseline), stored, CRON)


def _weight(edit: Edit) -> int:
    return {"archive": 1, "unarchive": 6}.get(edit.name, 3)
