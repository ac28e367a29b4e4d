"""What planners and settlements that count leave in a store."""

from typing import Any

from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.domain.analysis.analysis import Analysis, AnalysisUsage
from cronicorn.domain.analysis.watch import Look, Watch
from cronicorn.domain.analysis.watching import Occasion, Why, analysed
from cronicorn.domain.compilation.deciding import Decided, activated
from cronicorn.domain.compilation.draft import Draft, DraftStatus
from cronicorn.domain.endpoint import AnalysisSwitch, Baseline, JobEndpoint
from cronicorn.domain.execution.limits import month_of
from cronicorn.domain.fixtures import MIDNIGHT, a_run
from cronicorn.domain.settlement import Stored
from cronicorn.domain.tenant import ApiKey, Tenant
from cronicorn.testing.contracts.stores import CRON, MINUTE, TENANT, ask_to_run, deciding, plant
from tests.domain.compilation.values import a_draft


async def plan(stores: SqliteStores | PostgresStores) -> None:
    """What planners leave: analyses of two endpoints, a claimed watch, drafts, one of them in force; a counted run."""
    key = ApiKey(hash="h", id="k1", tenant_id=TENANT, prefix="ck_", created_at=MIDNIGHT)
    await stores.keys.add_tenant(Tenant(id=TENANT, name="first", created_at=MIDNIGHT), key)
    on = AnalysisSwitch(enabled=True)
    await plant(stores, "analysed", "claimed", analysis=on, description="Hurry.", baseline=Baseline(dormant=True))
    for claim_id in ("c1", "c2"):
        for watch in await stores.watches.claim_due(claim_id=claim_id, limit=2, ttl=MINUTE):
            if watch.endpoint.id == "analysed":
                await stores.watches.settle(watch, _look(watch, claim_id))
        await stores.watches.request(TENANT, "analysed", "alice")
    changes: dict[str, Any] = {
        "tenant_id": TENANT,
        "endpoint_id": "analysed",
        "description": "Hurry.",
        "status": DraftStatus.DRAFT,
    }
    for name in ("dr1", "dr2", "dr3"):
        await stores.drafts.add(a_draft(id=name, **changes))
        if name == "dr2":
            await stores.drafts.decide(TENANT, "analysed", name, _activate)
    await plant(stores, "counted", baseline=Baseline(dormant=True))
    await ask_to_run(stores, "counted")
    (lease,) = await stores.job_store.claim_due(worker_id="w1", limit=1, ttl=MINUTE, endpoint_id="counted")
    run = a_run(lease)
    decide = deciding(lease, run)
    month_at = month_of(run.started_at).start_at
    await stores.job_store.settle(lease, run, lambda *seen: decide(*seen)._replace(month_at=month_at))


def _activate(draft: Draft, endpoint: JobEndpoint, stored: Stored) -> Decided:
    return activated(draft, endpoint, stored, CRON, "ann")


def _look(watch: Watch, name: str) -> Look:
    why = Why(occasion=Occasion.REQUEST, detail="alice")
    analysis = Analysis(
        id=f"se_{name}", tenant_id=TENANT, endpoint_id=watch.endpoint.id, at=watch.claimed_at, why=why,
        spent=AnalysisUsage(input=7, output=5, cached=3, estimated=1),
    )  # fmt: skip
    memory = analysed(watch.memory, why, watch.claimed_at)
    return Look(memory=memory, cursor=watch.cursor, look_at=watch.claimed_at, analysis=analysis, answers_request=True)
