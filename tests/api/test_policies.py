"""Policies and signals over the wire: what goes in comes out, what is wrong is placed, and what they did is told."""

from typing import Any

import pytest

from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.fixtures import an_outcome
from tests.api.door import Door, a_door

POLICY = {
    "version": 1,
    "fields": {"err": {"path": "$.err", "type": "number"}},
    "rules": [{"id": "tight", "when": "err > 5", "action": {"interval": "30s"}}],
}
TYPO = {"id": "a", "when": "er > 5", "action": {"interval": "30s"}}
REDACT = {"body": ["/user/email", "/sessions/*/token", ""], "headers": ["set-cookie"]}
STEERED = {"policy": POLICY, "adapt": "on", "signals": {"trend": False, "cache-control": True}, "redact": REDACT}


async def test_a_policy_and_switches_come_out_as_they_went_in() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint(**STEERED)
        read = await door.read(f"/api/endpoints/{endpoint['id']}")

    assert {name: read[name] for name in STEERED} == STEERED


async def test_null_takes_a_policy_away_and_switches_back() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint(**STEERED)
        path = f"/api/jobs/{endpoint['jobId']}/endpoints/{endpoint['id']}"

        answer = await door.client.patch(path, json=dict.fromkeys(STEERED))

    assert not {"policy", "redact"} & answer.json().keys()
    assert answer.json()["adapt"] == "auto"
    assert "signals" not in answer.json()


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"policy": {**POLICY, "version": 7}}, "/policy/version"),
        ({"policy": {**POLICY, "rules": [TYPO]}}, "/policy/rules/0/when"),
        ({"policy": {**POLICY, "fields": {"err": {"path": "$..err", "type": "number"}}}}, "/policy/fields/err/path"),
        ({"policy": []}, "/policy"),
        ({"adapt": "perhaps"}, "/adapt"),
        ({"signals": {"mood": True}}, "/signals"),
        ({"redact": {"body": ["user"]}}, "/redact/body/0"),
        ({"redact": {"body": ["/a", "/~2"]}}, "/redact/body/1"),
        ({"redact": {"body": ["/" + "a" * 200]}}, "/redact/body/0"),
        ({"redact": {"body": ["/a"] * 33}}, "/redact/body"),
        ({"redact": {"headers": ["set cookie"]}}, "/redact/headers/0"),
        ({"redact": {"header": []}}, "/redact"),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_a_policy_is_said_where_it_stands(fields: dict[str, object], pointer: str) -> None:
    async with a_door() as door:
        job = await door.job()
        document = {"name": "stock", "url": "https://shop.example/", "baselineIntervalMs": 60_000} | fields

        answer = await door.client.post(f"/api/jobs/{job['id']}/endpoints", json=document)

    assert answer.status_code == 400
    assert any(error["pointer"].startswith(pointer) for error in answer.json()["errors"]), answer.text


async def test_a_run_tells_what_rules_made_of_its_answer_and_the_explanation_what_else_would_be() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint(**STEERED, minIntervalMs=10_000)
        door.world.clock.move(seconds=60)
        run = await door.world.finish(await door.world.claim(), an_outcome(body='{"err": 9}', body_is_json=True))
        told = await door.read(f"/api/runs/{run.id}")
        explanation = await door.read(f"/api/endpoints/{endpoint['id']}/explain")

    (rule,) = told["steering"]["rules"]
    assert (rule["rule"], rule["was"], rule["phase"], rule["did"]) == ("tight", "idle", "active", ["interval"])
    assert rule["comparisons"] == [{"text": "err > 5", "value": True, "read": {"err": 9.0}}]
    assert rule["otherwise"] == "err <= 5"
    assert told["steering"]["values"] == [{"name": "err", "value": 9.0, "place": "/err"}]
    (hint, minimum) = explanation["otherwise"]
    assert (hint["without"], hint["source"], hint["matters"]) == (
        "the interval hint of 30s by a rule tight", "baseline-interval", True,
    )  # fmt: skip
    assert (minimum["without"], minimum["matters"]) == ("the minimum of 10s", False)


async def test_what_a_policy_may_not_have_meant_comes_back_as_warnings() -> None:
    odd = {
        "version": 1,
        "fields": {"err": {"path": "$.err", "type": "number"}, "theirs": {"from": "sibling:stok", "http": "status"}},
        "rules": [
            {"id": "tight", "when": "err > 5", "action": {"interval": "30s"}},
            {
                "id": "call",
                "when": "theirs == 503",
                "action": {"run": "nobody"},
                "max_fires": {"count": 1, "per": "1h", "then": {"wake": "nobody"}},
            },
        ],
        "tests": [{"given": {"err": 8}, "expect": {"interval": "99s"}}],
    }
    async with a_door() as door:
        endpoint = await door.endpoint(policy=odd)
        read = await door.read(f"/api/endpoints/{endpoint['id']}")

    warnings = {warning["pointer"]: warning["detail"] for warning in endpoint["warnings"]}
    assert set(warnings) == {
        "/policy", "/policy/tests/0", "/policy/fields/theirs/from", "/policy/rules/1/action",
        "/policy/rules/1/max_fires/then",
    }  # fmt: skip
    assert warnings["/policy/fields/theirs/from"].endswith("Did you mean stock?")
    assert read["warnings"] == endpoint["warnings"]


async def test_a_frozen_endpoint_says_so_and_is_thawed_by_clearing_its_hints() -> None:
    flapping = {**POLICY, "limits": {"flips_per_hour": 2}}
    async with a_door() as door:
        endpoint = await door.endpoint(policy=flapping, minIntervalMs=10_000)
        for number in range(4):
            door.world.clock.instant = (
                await door.world.next_run_at(await _stored(door, endpoint)) or door.world.clock.instant
            )
            await door.world.run_due(an_outcome(body=f'{{"err": {9 * ((number + 1) % 2)}}}', body_is_json=True))
        frozen = await door.read(f"/api/endpoints/{endpoint['id']}")
        await door.client.delete(f"/api/endpoints/{endpoint['id']}/hints")
        thawed = await door.read(f"/api/endpoints/{endpoint['id']}")

    assert "frozenUntil" in frozen
    assert "frozenUntil" not in thawed


async def _stored(door: Door, endpoint: dict[str, Any]) -> JobEndpoint:
    tenant = next(iter(door.world.stores.endpoints._database.rows.values())).endpoint.tenant_id
    stored, _ = await door.world.stores.endpoints.get(tenant, endpoint["id"])
    return stored
