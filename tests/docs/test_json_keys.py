"""The reference names every key that `--json` prints, and no other."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.api.wire_analyses import session_answer
from cronicorn.api.wire_drafts import draft_answer
from cronicorn.api.wire_quota import quota_answer
from cronicorn.cli.backtest_lines import backtest_document
from cronicorn.cli.comparison.measures import Row
from cronicorn.cli.draft_lines import draft_document
from cronicorn.cli.quota import quota_document
from cronicorn.control.analyses import AnalysisView
from cronicorn.domain.analysis.analysis import Analysis, AnalysisUsage, CallMade
from cronicorn.domain.analysis.watching import Occasion, Why
from cronicorn.domain.compilation.draft import Figures, Finding, FindingCheck, Severity
from cronicorn.domain.execution.limits import ExecutionLimits, TierLimits
from cronicorn.domain.fixtures import MIDNIGHT, an_outcome
from cronicorn.domain.quota.decision import DenialReason, Denied
from cronicorn.testing.contracts.stores import ask_to_run, claim, plant
from tests.cli.command import cronicorn
from tests.cli.places import interface_to
from tests.control.world import ALICE, LOCAL, a_world
from tests.docs.markdown import REFERENCE, first_cells


def _listed(command: str) -> list[str]:
    text = (REFERENCE / "commands.md").read_text(encoding="utf-8")
    _, _, after = text.partition(f"### Keys of {command}\n")
    return first_cells(re.split(r"^#", after, maxsplit=1, flags=re.MULTILINE)[0])


def _keys(value: object, path: str = "") -> Iterator[str]:
    """The paths of all keys in *value*, of lists the first item's."""
    match value:
        case dict():
            for key, inner in value.items():
                yield from _keys(inner, f"{path}.{key}" if path else key)
        case [dict() as first, *_]:
            yield from _keys(first, f"{path}[]" if path else "")
        case _:
            yield path


@pytest.fixture
async def url(tmp_path) -> str:
    """A store with a lease."""
    stores, now = await SqliteStores.open(tmp_path / "store.db", SystemClock()), SystemClock().now()
    await plant(stores, created_at=now, updated_at=now)
    await ask_to_run(stores)
    await claim(stores, ttl=timedelta(minutes=5))
    await stores.aclose()
    return f"sqlite:{tmp_path / 'store.db'}"


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("workers", ("--database", "URL")),
        ("verify", ("--database", "URL")),
        ("copy", ("--from", "URL", "--to", "sqlite:none.db", "--dry-run", "--drop-leases")),
    ],
)
async def test_every_key_is_listed(url, command, options) -> None:
    ended = cronicorn(command, "--json", *(url if option == "URL" else option for option in options))

    assert ended.code == 0, ended.err
    assert list(_keys(json.loads(ended.out))) == _listed(command)


async def test_every_key_of_the_doctor_is_listed(url) -> None:
    ended = cronicorn("doctor", "--offline", "--json", "--database", url)

    assert ended.code in {0, 1}, ended.err
    assert list(_keys(json.loads(ended.out))) == _listed("doctor")


def test_every_key_of_a_comparison_is_listed() -> None:
    assert [field.name for field in fields(Row)] == _listed("leases compare")


async def test_every_key_of_a_backtest_is_listed() -> None:
    world = a_world()
    endpoint = await world.endpoint()
    for err in (0, 0, 9):
        world.clock.move(minutes=1)
        await world.run_due(an_outcome(body=f'{{"err": {err}}}', body_is_json=True))
    fields = {"err": {"path": "$.err", "type": "number"}}
    rules = [{"id": "burst", "when": "err > 5", "action": {"interval": "30s"}}]
    policy = {"version": 1, "fields": fields, "rules": rules}

    there = interface_to(world)
    backtest = await there.post(f"/endpoints/{endpoint.id}/backtest", {"policy": policy, "overHours": 0.5})

    assert list(_keys(backtest_document("shop/stock", backtest))) == _listed("backtest")


async def test_every_key_of_a_draft_is_listed() -> None:
    world = a_world()
    endpoint = await world.endpoint(description="Look closer while errors are high.")
    view = await world.control.drafts.make(ALICE, endpoint.id)
    finding = Finding(
        check=FindingCheck.FIELDS, severity=Severity.WARNING, pointer="/fields/err", message="Unverified."
    )
    told = replace(view, draft=replace(view.draft, findings=(finding,), figures=Figures()))

    document: dict[str, Any] = draft_document("shop/stock", draft_answer(told).model_dump(mode="json", by_alias=True))
    parts = [{**each, "before": None, "after": None} for each in document["differences"]]

    assert list(_keys(document | {"policy": None, "differences": parts})) == _listed("policy show")


DENIED = Denied(reason=DenialReason.LIMIT, remaining=7, retry_after=timedelta(hours=1), reset_at=MIDNIGHT)


def test_every_key_of_an_analysis_is_listed() -> None:
    analysis = Analysis(
        id="session_1", tenant_id="t1", endpoint_id="ep1", at=MIDNIGHT, why=Why(occasion=Occasion.REQUEST, detail="me"),
        denied=DENIED, confidence_percent=90, next_analysis=timedelta(hours=1), warnings=("missing_reasoning",),
        calls=(CallMade(tool="get_sibling_names", arguments="null", result="[]"),), spent=AnalysisUsage(cost="0.001"),
        error="No.",
    )  # fmt: skip

    answer = session_answer(AnalysisView(analysis=analysis, endpoint_name="stock"))
    document = answer.model_dump(mode="json", by_alias=True)

    assert list(_keys(document)) == _listed("analyses show")


async def test_every_key_of_a_quota_is_listed() -> None:
    world = a_world(TierLimits(other=ExecutionLimits(runs=2)))
    await world.control.tenants.add(LOCAL, "acme")
    (tenant,) = await world.stores.keys.tenants()

    standing = await world.control.quotas.show(replace(ALICE, tenant_id=tenant.id))

    answer = quota_answer(standing).model_dump(mode="json", by_alias=True)

    assert list(_keys(quota_document(answer))) == _listed("quota show")
