"""What holds for one tenant alone: set over REST by whoever runs the installation, and read by the tenant itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from cronicorn.api.description import EXAMPLES
from cronicorn.control.keys import KeyDocument
from tests.api.door import Door, a_client, a_door, an_app, assert_problem
from tests.control.world import LOCAL

EGRESS = {"allow": ["10.1.0.0/16", "fd12::1", "DB.internal"]}
RETENTION = {"runsMs": 604_800_000, "failuresMs": None}
TERMS = {"tier": None, "limit": 5_000, "period": "month", "zone": "Europe/Berlin"}
SETTINGS: dict[str, dict[str, Any]] = {"egress": EGRESS, "retention": RETENTION, "terms": TERMS}
TOLD: dict[str, dict[str, Any]] = {
    "egress": {"allow": ["10.1.0.0/16", "fd12::1/128", "db.internal"]},
    "retention": RETENTION,
    "terms": TERMS,
}
UNSET = {
    "egress": {"allow": []},
    "retention": dict.fromkeys(RETENTION),
    "terms": dict.fromkeys(TERMS) | {"warnings": []},
}


@dataclass(frozen=True, slots=True)
class Installation:
    """A door, whoever runs the installation, and a tenant that is not its own."""

    door: Door
    runner: httpx.AsyncClient
    tenant_id: str

    @property
    def path(self) -> str:
        return f"/api/tenants/{self.tenant_id}"

    async def put(self, part: str, document: object, **headers: str) -> httpx.Response:
        return await self.runner.put(f"{self.path}/{part}", json=document, headers=headers)


@asynccontextmanager
async def an_installation() -> AsyncIterator[Installation]:
    async with a_door() as door:
        own, other = await door.world.control.tenants.list(LOCAL)
        document = KeyDocument.model_validate({"name": "ops", "role": "owner", "runsInstallation": True})
        key = await door.world.control.keys.create(replace(LOCAL, tenant_id=other.id), document)
        transport = httpx.ASGITransport(app=an_app(door.world))
        async with a_client(transport, key.text) as runner:
            yield Installation(door, runner, own.id)


@pytest.mark.parametrize("part", SETTINGS)
async def test_what_is_set_is_told_to_both_and_audited(part: str) -> None:
    async with an_installation() as there:
        before = await there.runner.get(f"{there.path}/{part}")
        put = await there.put(part, SETTINGS[part], **{"If-Match": before.headers["etag"]})
        own = await there.door.client.get(f"{there.path}/{part}")
        late = await there.put(part, {"allow": []} if part == "egress" else {}, **{"If-Match": before.headers["etag"]})
        audit = (await there.door.read("/api/audit"))["entries"]

    assert put.status_code == 200, put.text
    told = {name: value for name, value in put.json().items() if name not in {"tenantId", "warnings"}}
    assert told == TOLD[part]
    assert own.json()["tenantId"] == there.tenant_id
    assert (own.json() | {"warnings": []}, own.headers["etag"]) == (put.json() | {"warnings": []}, put.headers["etag"])
    assert before.headers["etag"] != put.headers["etag"]
    assert_problem(late, 412)
    (entry,) = [each for each in audit if each["action"] in {"provision.change", "terms.agree"}]
    assert (entry["objectKind"], entry["objectId"]) == ("tenant", there.tenant_id)
    assert entry["after"] != entry["before"]


async def test_settings_stay_apart_and_what_is_left_out_is_as_usual() -> None:
    async with an_installation() as there:
        for part, document in SETTINGS.items():
            assert (await there.put(part, document)).is_success
        await there.put("retention", {"failuresMs": 60_000})
        await there.put("terms", {})
        told = {part: (await there.runner.get(f"{there.path}/{part}")).json() for part in SETTINGS}

    assert told["egress"]["allow"] == TOLD["egress"]["allow"]
    assert (told["retention"]["runsMs"], told["retention"]["failuresMs"]) == (None, 60_000)
    assert {told["terms"][name] for name in TERMS} == {None}


@pytest.mark.parametrize("part", SETTINGS)
async def test_no_tenant_sets_any_of_it(part: str) -> None:
    async with an_installation() as there:
        answers = [
            await client.put(f"{there.path}/{part}", json=SETTINGS[part])
            for client in (there.door.client, there.door.stranger)
        ]
        before = await there.door.read(f"{there.path}/{part}")
        gone = await there.runner.put(f"/api/tenants/nobody/{part}", json=SETTINGS[part])

    for answer in answers:
        assert_problem(answer, 403)
    assert_problem(gone, 404)
    assert {name: value for name, value in before.items() if name != "tenantId"} == UNSET[part]


@pytest.mark.parametrize(
    ("part", "document", "pointer"),
    [
        ("egress", {"allow": ["10.0.0.0/8", "10.0.0.0/33"]}, "/allow/1"),
        ("egress", {"allow": ["10.0.0.0/8,10.1.0.0/16"]}, "/allow/0"),
        ("egress", {"allow": [""]}, "/allow/0"),
        ("egress", {"allow": ["a" * 256]}, "/allow/0"),
        ("egress", {"allow": ["10.0.0.0/8"] * 201}, "/allow"),
        ("egress", {}, "/allow"),
        ("retention", {"runsMs": 59_999}, "/runsMs"),
        ("retention", {"failuresMs": 10**15}, "/failuresMs"),
        ("terms", {"tier": "platinum"}, "/tier"),
        ("terms", {"limit": -1}, "/limit"),
        ("terms", {"zone": "Mars/Base"}, "/zone"),
        ("terms", {"period": "week"}, "/period"),
    ],
)
async def test_what_can_not_be_meant_is_refused_where_it_stands(
    part: str, document: dict[str, Any], pointer: str
) -> None:
    async with an_installation() as there:
        answer = await there.put(part, document)

    assert [each["pointer"] for each in assert_problem(answer, 400)["errors"]] == [pointer]


async def test_a_limit_that_allows_nothing_is_warned_of() -> None:
    async with an_installation() as there:
        answer = await there.put("terms", {"limit": 10})

    assert {each["pointer"] for each in answer.json()["warnings"]} == {"/limit"}


async def test_a_tenant_is_told_of_itself_alone() -> None:
    async with an_installation() as there:
        own = await there.door.read(there.path)
        other = await there.door.stranger.get(there.path)
        runner = await there.runner.get(there.path)

    assert own == runner.json()
    assert own["name"] == "acme"
    assert_problem(other, 404)


async def test_every_example_is_accepted() -> None:
    async with an_installation() as there:
        answers = [await there.put(part, EXAMPLES[f"{part.title()}Document"]) for part in SETTINGS]

    assert [answer.status_code for answer in answers] == [200, 200, 200], [answer.text for answer in answers]


@pytest.mark.parametrize("part", SETTINGS)
async def test_what_would_be_set_can_be_asked_for_and_stays_as_it_was(part: str) -> None:
    async with an_installation() as there:
        would = await there.put(f"{part}?validate_only=true", SETTINGS[part])
        after = await there.door.read(f"{there.path}/{part}")
        audit = (await there.door.read("/api/audit"))["entries"]

    assert would.status_code == 200, would.text
    assert {name: would.json()[name] for name in TOLD[part]} == TOLD[part]
    assert {name: value for name, value in after.items() if name != "tenantId"} == UNSET[part]
    assert [each for each in audit if each["action"] in {"provision.change", "terms.agree"}] == []
