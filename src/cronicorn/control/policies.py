"""Policies: what one would have done with an endpoint's recorded answers."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from cronicorn.control.document import Document
from cronicorn.control.findings import Findings
from cronicorn.control.limits import check_limits
from cronicorn.control.payload import json_text
from cronicorn.control.permissions import operation
from cronicorn.control.recorded_runs import latest_runs, recorded_runs
from cronicorn.control.turns import Turns
from cronicorn.domain.compilation.answer_profile import RUNS_MAX, AnswerProfile, profile_of, profile_told
from cronicorn.domain.compilation.ports import Backtester
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import QuotaExceededError, UnavailableError
from cronicorn.domain.history import SpanQuery
from cronicorn.domain.instant import shifted
from cronicorn.domain.permission import Operation
from cronicorn.domain.policy.document_part import PolicyError
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.ports import Cron, EndpointCatalog, RunHistory
from cronicorn.domain.principal import Principal
from cronicorn.domain.replay.replay import Replay
from cronicorn.domain.replay.replayed import Replayed
from cronicorn.domain.run import Run
from cronicorn.domain.target import host_of

HOURS_LEAST, HOURS_MAX = 0.01, 87_600
HOURS_DEFAULT = 720
_ENDS_WITHIN = timedelta(seconds=5)
"""After so long it is worth asking again."""
BACKTESTS_MAX = 2
"""Backtests that go on at a time in one process; they do not queue, they are refused. A tenant has one."""


class PolicyDocument(Document):
    """A policy to be put in force."""

    policy: dict[str, Any]


class BacktestDocument(Document):
    """A policy to be tried on what was recorded in the last hours."""

    policy: dict[str, Any]
    over_hours: Annotated[float, Field(json_schema_extra={"minimum": HOURS_LEAST, "maximum": HOURS_MAX})] = (
        HOURS_DEFAULT
    )

    @property
    def over(self) -> timedelta:
        """How far back the record is read."""
        return timedelta(hours=self.over_hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """What a policy would have made of the record of an endpoint."""

    endpoint: JobEndpoint
    since: datetime
    until: datetime
    replayed: Replayed


class Policies(Backtester):
    """What can be asked about policies. Nothing here changes anything; all raise NotFoundError."""

    def __init__(self, catalog: EndpointCatalog, history: RunHistory, cron: Cron) -> None:
        self._catalog = catalog
        self._history = history
        self._cron = cron
        self._under_way: set[str] = set()
        self._turns = Turns()

    @operation(Operation.POLICY_BACKTEST)
    async def read(self, principal: Principal, document: BacktestDocument) -> Policy:
        """The policy that *document* writes. A long one takes half a second of a thread. Raises InvalidInputError."""
        async with self._turns.turn(principal.tenant_id):
            return await asyncio.to_thread(policy_to_try, document)

    @operation(Operation.POLICY_BACKTEST)
    async def backtest(self, principal: Principal, endpoint_id: str, policy: Policy, over: timedelta) -> Backtest:
        """Replay what was recorded *over* the last time under *policy*.

        Raises QuotaExceededError while another backtest of the tenant goes on, and UnavailableError while BACKTESTS_MAX
        do in all.
        """
        endpoint, stored = await self._catalog.get(principal.tenant_id, endpoint_id)
        since = shifted(stored.now, -over)
        with self._place(principal.tenant_id):
            job = [each for each, _ in await self._catalog.list(endpoint.tenant_id, endpoint.job_id)]
            siblings = _heard(endpoint, policy, job)
            replay = Replay(replace(endpoint, policy=policy), self._cron)
            ids = (endpoint.id, *siblings)
            async with aclosing(recorded_runs(self._history, principal.tenant_id, ids, since, stored.now)) as runs:
                await _replay(replay, runs, siblings)
            beside = await self._beside(endpoint, job, replay)
        return Backtest(endpoint=endpoint, since=since, until=stored.now, replayed=replay.replayed(beside))

    @operation(Operation.POLICY_BACKTEST)
    async def replayed(self, principal: Principal, endpoint_id: str, policy: Policy, over: timedelta) -> Replayed:
        return (await self.backtest(principal, endpoint_id, policy, over)).replayed

    @operation(Operation.POLICY_FIELDS)
    async def fields(self, principal: Principal, endpoint_id: str) -> AnswerProfile:
        """What stood where in the answers of the last RUNS_MAX runs of an endpoint: what a policy can read."""
        endpoint, _ = await self._catalog.get(principal.tenant_id, endpoint_id)
        runs = await latest_runs(self._history, endpoint, RUNS_MAX)
        return profile_told(await asyncio.to_thread(profile_of, runs), endpoint.redaction, ())

    async def _beside(self, endpoint: JobEndpoint, job: Iterable[JobEndpoint], replay: Replay) -> Mapping[int, int]:
        """How often others of the *job* called the same host in each minute of the *replay*."""
        begun: Counter[int] = Counter()
        if (span := replay.span) is None:
            return begun
        host = host_of(endpoint.request.url)
        for sibling in job:
            if sibling.id != endpoint.id and host_of(sibling.request.url) == host:
                query = SpanQuery(since=span[0], until=span[1])
                begun.update(await self._history.begun_by_minute(sibling.tenant_id, sibling.id, query))
        return begun

    @contextmanager
    def _place(self, tenant_id: str) -> Iterator[None]:
        if tenant_id in self._under_way:
            raise QuotaExceededError(
                "One of your backtests is under way; try again when it has ended.", retry_after=_ENDS_WITHIN
            )
        if len(self._under_way) >= BACKTESTS_MAX:
            raise UnavailableError(f"{BACKTESTS_MAX} backtests are under way; try again when one has ended.")
        self._under_way.add(tenant_id)
        try:
            yield
        finally:
            self._under_way.remove(tenant_id)


def _heard(endpoint: JobEndpoint, tried: Policy, job: Iterable[JobEndpoint]) -> Mapping[str, JobEndpoint]:
    """Those of the *job* that *tried* or the policy in force reads, and those whose rules steer *endpoint*, by id."""
    read = tried.siblings | (endpoint.policy or Policy()).siblings
    found = {}
    for sibling in job:
        orders = sibling.policy.orders() if sibling.policy is not None else ()
        steers = any(name == endpoint.name for name, _ in orders)
        if sibling.id != endpoint.id and (steers or sibling.name in read):
            found[sibling.id] = sibling
    return found


def policy_to_try(document: BacktestDocument) -> Policy:
    """The policy that *document* writes. Raises InvalidInputError."""
    findings = Findings()
    check_limits(document, findings)
    inside = findings.inside("/policy")
    policy = Policy()
    try:
        json_text(document.policy)
        policy = policy_of(document.policy)
    except PolicyError as error:
        for problem in error.problems:
            inside.refuse(problem.pointer, problem.problem)
    except ValueError as error:
        inside.refuse("", str(error))
    findings.raise_errors()
    return policy


async def _replay(replay: Replay, runs: AsyncIterator[Run], siblings: Mapping[str, JobEndpoint]) -> None:
    async for run in runs:
        sibling = siblings.get(run.endpoint_id)
        if sibling is None:
            replay.record(run)
        else:
            replay.hear(sibling, run)
        await _go_on(replay)
        if replay.cut:
            break
    replay.close()
    await _go_on(replay)


async def _go_on(replay: Replay) -> None:
    """Take all steps that can be taken. After each others have their turn: calls that are due wait for no backtest."""
    while replay.step():  # noqa: ASYNC110 - nothing is waited for
        await asyncio.sleep(0)
