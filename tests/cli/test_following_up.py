"""When the model is asked about an endpoint again, as a person reads it."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.domain.analysis.follow_up import FollowUp
from cronicorn.domain.analysis.watch import Look
from cronicorn.domain.endpoint import AnalysisSwitch
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.tenant import ApiKey, Tenant
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import TENANT, plant
from tests.cli.command import cronicorn, environment


@pytest.fixture
async def env(tmp_path):
    """A store with an endpoint whose last analysis asked to look again two hours after the start."""
    clock = VirtualClock()
    stores = await SqliteStores.open(tmp_path / "store.db", clock)
    key = ApiKey(id="key1", tenant_id=TENANT, prefix="ck_", hash="0" * 64, created_at=MIDNIGHT)
    await stores.keys.add_tenant(Tenant(id=TENANT, name="default", created_at=MIDNIGHT), key)
    await plant(stores, "ep1", name="errors", analysis=AnalysisSwitch(enabled=True))
    (watch,) = await stores.watches.claim_due(claim_id="c", limit=1, ttl=timedelta(minutes=1))
    again = FollowUp(at=clock.now() + timedelta(hours=2), seen=None)
    memory = replace(watch.memory, follow_up=again)
    await stores.watches.settle(watch, Look(memory=memory, cursor=watch.cursor, look_at=clock.now()))
    await stores.aclose()
    return environment(DATABASE_URL=f"sqlite:{tmp_path / 'store.db'}"), again.at.isoformat()[:16]


def test_analyses_and_explanations_say_from_when_on_the_model_is_asked_again(env):
    settings, at = env
    listed = cronicorn("analyses", "list", "shop/errors", env=settings)
    explained = cronicorn("explain", "shop/errors", env=settings)
    told = json.loads(cronicorn("explain", "shop/errors", "--json", env=settings).out)

    assert (listed.code, explained.code) == (0, 0), listed.err + explained.err
    assert f"again from {at}" in listed.out
    assert f"Analysis: again from {at.replace('T', ' ')}" in explained.out
    assert "once answers are unlike" in " ".join(explained.out.split())
    assert told["next_analysis_at"].startswith(at)
