"""Whatever is sent is answered with a refusal that says why; nothing is ever a server error."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cronicorn.api.gate import BODY_BYTES_MAX
from cronicorn.control.document import (
    DeferHintDocument,
    Document,
    EndpointDocument,
    IntervalHintDocument,
    JobDocument,
    OneShotHintDocument,
    PauseDocument,
    PreviewDocument,
)
from tests.api.door import JSON, a_door, assert_problem

SOUND: dict[str, Any] = {"name": "stock", "url": "https://shop.example/stock", "baselineIntervalMs": 60_000}
ODD_VALUES: list[Any] = [
    True, False, 0, -1, 1.5, 10**30, -(10**30), "", "x", "\x00", "1", "null", "NaN", "9999-99-99T99:99:99Z",
    "2026-01-01", "٣", "\u202e", "🦄" * 300, [], [None], [[]], ["x"], {}, {"": None}, {"x": "y"}, {"x": ["y"]},
]  # fmt: skip
DOCUMENTS: dict[str, tuple[type[Document], dict[str, Any]]] = {
    "/api/jobs": (JobDocument, {"name": "shop"}),
    "/api/jobs/{job}/endpoints": (EndpointDocument, SOUND),
    "/api/endpoints/{endpoint}/hints/interval": (IntervalHintDocument, {"intervalMs": 5_000}),
    "/api/endpoints/{endpoint}/hints/oneshot": (OneShotHintDocument, {"nextRunInMs": 5_000}),
    "/api/endpoints/{endpoint}/hints/defer": (DeferHintDocument, {"forMs": 5_000}),
    "/api/endpoints/{endpoint}/pause": (PauseDocument, {"pausedUntil": None}),
    "/api/preview": (PreviewDocument, {"endpoint": {"dormant": True}}),
}


def fields_of(model: type[Document]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


@pytest.mark.parametrize(
    ("path", "field"), [(path, field) for path, (model, _) in DOCUMENTS.items() for field in fields_of(model)]
)
async def test_odd_values_of_a_field_are_accepted_or_refused_but_never_a_fault(path: str, field: str) -> None:
    async with a_door() as door:
        endpoint = await door.endpoint()
        target = path.format(job=endpoint["jobId"], endpoint=endpoint["id"])
        for value in ODD_VALUES:
            document = DOCUMENTS[path][1] | {field: value}

            answer = await door.client.post(target, content=json.dumps(document), headers=JSON)

            if not answer.is_success:
                problem = assert_problem(answer, 400)
                assert problem["errors"], problem


@pytest.mark.parametrize("field", fields_of(EndpointDocument))
async def test_an_odd_patch_is_accepted_or_refused_but_never_a_fault(field: str) -> None:
    async with a_door() as door:
        endpoint = await door.endpoint()
        path = f"/api/jobs/{endpoint['jobId']}/endpoints/{endpoint['id']}"
        for value in [None, *ODD_VALUES]:
            answer = await door.client.patch(path, content=json.dumps({field: value}), headers=JSON)

            if not answer.is_success:
                assert assert_problem(answer, 400)["errors"]
            assert (await door.client.get(path)).status_code == 200


@pytest.mark.parametrize("field", ["catchUp", "retries"])
async def test_odd_parts_of_a_policy_are_refused(field: str) -> None:
    names = {"catchUp": ("mode", "windowMs", "maxRuns"), "retries": ("retryCount", "minBackoffMs", "maxDoublings")}
    async with a_door() as door:
        path = f"/api/jobs/{(await door.job())['id']}/endpoints"
        for name in names[field]:
            for value in ODD_VALUES:
                answer = await door.client.post(path, content=json.dumps(SOUND | {field: {name: value}}), headers=JSON)

                if not answer.is_success:
                    pointers = [error["pointer"] for error in assert_problem(answer, 400)["errors"]]
                    assert pointers == [f"/{field}/{name}"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"{", b"}", b"{]", b"nul", b'{"name":}', b'{"name":"a",}', b"{'name':'a'}", b"null", b"[]", b"1",
        b'"name"', b"NaN", b'{"name":NaN}', b'{"name":"a","description":Infinity}', b'{"name":1e999}',
        b'{"name":"a"} x', b'{"name":"a","name":"b"}', b'{"a":{"b":1,"b":2}}', b'{"name":"\\ud800"}',
        b'{"\\udfff":"a"}', b'{"name":"\xff\xfe"}', b"\xff", b"\xef\xbb\xbf{}", b"\x00", b'{"name":"a\x00"}',
        b'{"name":"\\u0000"}', b'{"name":' + b"1" * 10_000 + b"}", b"[" * 100_000, b'{"a":' * 50_000,
        b"[" * 500 + b"]" * 500, b'{"unknown":1}', b'{"NAME":"a"}', b'{"__proto__":{}}',
    ],
)  # fmt: skip
async def test_a_malformed_body_is_refused(body: bytes) -> None:
    async with a_door() as door:
        answer = await door.client.post("/api/jobs", content=body, headers=JSON)

    assert_problem(answer, 400)


async def test_a_body_over_a_mebibyte_is_refused_whether_its_length_is_told_or_not() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(33):
            yield b" " * (BODY_BYTES_MAX // 32)

    async with a_door() as door:
        told = await door.client.post("/api/jobs", content=b" " * (BODY_BYTES_MAX + 1), headers=JSON)
        untold = await door.client.post("/api/jobs", content=chunks(), headers=JSON)
        lied = await door.client.post("/api/jobs", content=b"{}", headers=JSON | {"content-length": "9" * 30})
        just = await door.client.post("/api/jobs", content=b'{"name":"a"}' + b" " * (BODY_BYTES_MAX - 12), headers=JSON)

    for answer in (told, untold, lied):
        assert_problem(answer, 413)
    assert just.status_code == 201


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "%"],
)
async def test_a_body_that_is_not_json_is_refused_by_its_type(kind: str) -> None:
    async with a_door() as door:
        answer = await door.client.post("/api/jobs", content=b'{"name":"a"}', headers={"content-type": kind})

    assert_problem(answer, 415)


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "application/merge-patch+json", "APPLICATION/JSON"]
)
async def test_json_by_any_of_its_names_is_read(kind: str) -> None:
    async with a_door() as door:
        answer = await door.client.post("/api/jobs", content=b'{"name":"a"}', headers={"content-type": kind})

    assert answer.status_code == 201


@pytest.mark.parametrize(
    "identity",
    [
        "%00", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%2e%2e%2fetc", "a" * 5_000, "%ff", "'%20OR%201=1--", "*", "%25",
        "ep:1", "ep:1:1:1", "ep:99999999999999999999:1", "ep:-1:1", "%D9%A3", "%F0%9F%A6%84",
    ],
)  # fmt: skip
async def test_what_can_be_no_id_is_not_found(identity: str) -> None:
    async with a_door() as door:
        for path in (f"/api/jobs/{identity}", f"/api/endpoints/{identity}/explain", f"/api/runs/{identity}"):
            assert_problem(await door.client.get(path), 404)


@pytest.mark.parametrize(
    "query",
    [
        "/next?count=0", "/next?count=101", "/next?count=x", "/next?count=%00", "/health?sinceHours=0",
        "/health?sinceHours=-1", "/health?sinceHours=1.5", "/skips?limit=0", "/skips?limit=99999999999999999999999",
        "/runs?limit=", "/runs?offset=1e9", "/runs?status=%F0%9F%A6%84",
    ],
)  # fmt: skip
async def test_a_wrong_query_value_is_refused(query: str) -> None:
    async with a_door() as door:
        endpoint = await door.endpoint()

        answer = await door.client.get(f"/api/endpoints/{endpoint['id']}{query}")

    assert_problem(answer, 400)


async def test_a_refusal_never_repeats_a_secret() -> None:
    secret = "hunter2-hunter2-hunter2"
    document = SOUND | {"url": f"https://user:{secret}@x.example", "headersJson": {"X-Token": f"{secret}\n"}}
    async with a_door() as door:
        path = f"/api/jobs/{(await door.job())['id']}/endpoints"

        answers = [
            await door.client.post(path, json=document),
            await door.client.post(path, json=SOUND | {"headersJson": {"X-Token": [secret]}}),
            await door.client.post(path, json=SOUND | {"method": secret, "timezone": 5}),
            await door.client.get("/api/jobs", headers={"x-api-key": secret}),
        ]

    for answer in answers:
        assert_problem(answer)
        assert secret not in answer.text


async def test_a_hostile_answer_of_a_target_can_be_read_back() -> None:
    bodies = [
        '{"a":"\\ud800"}',
        "[" * 5_000 + "]" * 5_000,
        '{"a":1e999}',
        "\x00\ud800",
        '{"a":1,"a":2}',
        "1" * 9_000,
        "null",
    ]
    async with a_door() as door:
        endpoint = await door.endpoint()
        for number, body in enumerate(bodies):
            door.world.dispatcher.script = scripted(body)
            door.world.clock.move(seconds=number)

            tried = await door.client.post(f"/api/endpoints/{endpoint['id']}/test")
            read = await door.client.get(f"/api/runs/{tried.json()['runId']}")

            assert (tried.status_code, read.status_code) == (200, 200)


def scripted(body: str) -> Any:
    from cronicorn.testing.dispatchers import Reply

    return lambda call, number: Reply(body=body)
