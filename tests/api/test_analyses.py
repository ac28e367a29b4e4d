"""Analyses over the wire: in the contract's form, confined to their tenant, and asked for only where they are on."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from cronicorn.domain.analysis.analysis import Analysis, AnalysisUsage, CallMade
from cronicorn.domain.analysis.follow_up import FollowUp
from cronicorn.domain.analysis.watch import Look
from cronicorn.domain.analysis.watching import Occasion, Why
from cronicorn.domain.instant import MINUTE
from tests.api.door import JSON, Door, a_door, assert_problem

SESSION = "session_1"
CALL = CallMade(tool="propose_interval", arguments='{"interval_s":60}', result="Staged.")
WHY = Why(occasion=Occasion.NOVELTY, detail="/status")


async def analysed(door: Door, endpoint: dict[str, object], session_id: str = SESSION) -> None:
    """Let a planner keep an analysis of *endpoint*, the only one that is watched."""
    watches = door.world.stores.watches
    (watch,) = await watches.claim_due(claim_id="c", limit=1, ttl=MINUTE)
    analysis = Analysis(
        id=session_id, tenant_id=watch.endpoint.tenant_id, endpoint_id=str(endpoint["id"]), at=watch.claimed_at,
        why=WHY, model="fake-1", reasoning="<b>A surge.</b>", confidence_percent=90, calls=(CALL,),
        warnings=("unknown_tool", "output_truncated"), spent=AnalysisUsage(input=100, output=20, duration=MINUTE),
        next_analysis=30 * MINUTE,
    )  # fmt: skip
    assert analysis.next_analysis_at is not None
    memory = replace(watch.memory, follow_up=FollowUp(at=analysis.next_analysis_at, seen=None))
    look = Look(memory=memory, cursor=watch.cursor, look_at=watch.claimed_at + MINUTE, analysis=analysis)
    await watches.settle(watch, look)


async def test_sessions_are_told_as_the_contract_has_them() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint(analysis=True)
        await analysed(door, endpoint)
        page = await door.read(f"/api/endpoints/{endpoint['id']}/sessions")
        session = await door.read("/api/sessions/session_1")

    assert page == {"sessions": [session], "total": 1, "nextAnalysisAt": session["nextAnalysisAt"]}
    analysed_at, again_at = (datetime.fromisoformat(session[name]) for name in ("analyzedAt", "nextAnalysisAt"))
    assert again_at - analysed_at == timedelta(milliseconds=session["nextAnalysisInMs"]) == 30 * MINUTE
    assert {name: session[name] for name in ("endpointName", "tokenUsage", "durationMs", "reasoning")} == {
        "endpointName": "stock",
        "tokenUsage": 120,
        "durationMs": 60_000,
        "reasoning": "<b>A surge.</b>",
    }
    call = {"tool": "propose_interval", "args": {"interval_s": 60}, "result": "Staged.", "refused": False}
    assert session["toolCalls"] == [call]
    assert [warning["code"] for warning in session["warnings"]] == ["output_truncated"]
    assert session["warningCodes"] == ["unknown_tool", "output_truncated"]


async def test_another_tenant_finds_no_session() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint(analysis=True)
        await analysed(door, endpoint)
        paths = (f"/api/endpoints/{endpoint['id']}/sessions", "/api/sessions/session_1")

        assert [(await door.stranger.get(path)).status_code for path in paths] == [404, 404]
        assert (await door.stranger.post(f"/api/endpoints/{endpoint['id']}/analyze")).status_code == 404


async def test_where_analyses_are_off_nobody_looks_again() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint(analysis=True)
        await analysed(door, endpoint)
        path = f"/api/jobs/{endpoint['jobId']}/endpoints/{endpoint['id']}"
        await door.client.patch(path, json={"analysis": False})

        assert "nextAnalysisAt" not in await door.read(f"/api/endpoints/{endpoint['id']}/sessions")


async def test_an_analysis_is_asked_for_only_where_it_is_switched_on() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint()
        refused = await door.client.post(f"/api/endpoints/{endpoint['id']}/analyze")
        path = f"/api/jobs/{endpoint['jobId']}/endpoints/{endpoint['id']}"
        changed = await door.client.patch(path, json={"analysis": True, "analysisCooldownMs": 600_000})
        asked = await door.client.post(f"/api/endpoints/{endpoint['id']}/analyze")
        (watch,) = await door.world.stores.watches.claim_due(claim_id="c", limit=9, ttl=MINUTE)

    assert (refused.status_code, asked.status_code, watch.requested_by) == (409, 202, "an API key")
    assert "switch it on first: `analysis: true` in its file" in refused.json()["detail"]
    assert asked.json()["status"] == "pending"
    assert asked.json()["warnings"][0].startswith("No model is named here, and no planner has looked lately")
    assert changed.json()["analysis"] is True
    assert changed.json()["analysisCooldownMs"] == 600_000
    assert watch.requested_by is not None


async def test_a_cooldown_below_the_least_is_refused() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint()
        path = f"/api/jobs/{endpoint['jobId']}/endpoints/{endpoint['id']}"

        assert (await door.client.patch(path, json={"analysisCooldownMs": 1_000})).status_code == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 202),
        (b" {} ", 202),
        (b'{"force": true}', 400),
        (b"[]", 400),
        (b"null", 400),
        (b"{", 400),
        (b'{"a": 1, "a": 2}', 400),
    ],
)
async def test_a_request_that_says_what_nobody_reads_is_refused(body, status) -> None:
    async with a_door() as door:
        endpoint = await door.endpoint(analysis=True)
        answer = await door.client.post(f"/api/endpoints/{endpoint['id']}/analyze", content=body, headers=JSON)
        (watch,) = await door.world.stores.watches.claim_due(claim_id="c", limit=9, ttl=MINUTE)

    assert answer.status_code == status, answer.text
    assert (watch.requested_by is not None) is (status == 202)
    if b"force" in body:
        assert assert_problem(answer)["errors"] == [{"pointer": "/force", "detail": "Unknown field; leave it out."}]
