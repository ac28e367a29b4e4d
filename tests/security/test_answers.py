"""What every answer carries, whatever was asked and however it ends; and requests that are too much to be read."""

import re
import sys
from collections.abc import AsyncIterator
from difflib import get_close_matches
from types import FrameType

import httpx
import pytest

from cronicorn.api.gate import SECURITY_HEADERS
from cronicorn.control.findings import FINDINGS_MAX
from tests.api.door import JSON, Door, a_door, a_listening_door, assert_problem
from tests.api.test_isolation import ANY, BODIES, ROUTES, method_of
from tests.api.test_socket import exchange

MANY = '{"name": "a", ' + ", ".join(f'"f{number}": 1' for number in range(25_000)) + "}"
PAGES = {"GET /docs", "GET /problems/{code}"}
"""Documents for people allow themselves one style sheet, and nothing else."""


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with a_door() as door:
        yield door


def check(answer: httpx.Response, *, page: bool = False) -> None:
    headers = answer.headers
    for name, value in SECURITY_HEADERS.items():
        if page and name == "Content-Security-Policy":
            assert re.fullmatch(
                r"default-src 'none'; style-src 'sha256-[\w+/=]+'; frame-ancestors 'none'", headers[name]
            )
        else:
            assert headers[name] == value, (name, answer.request.url)
    assert headers["x-request-id"]
    assert "server" not in headers
    assert "access-control-allow-origin" not in headers


async def test_every_route_answers_with_all_headers_whether_it_is_allowed_or_not(door: Door) -> None:
    for route in ROUTES:
        path = re.sub(r"\{\w+\}", "any", route.split()[1])
        for key in (door.client.headers["x-api-key"], "wrong"):
            answer = await door.client.request(
                method_of(route), path, json=BODIES.get(route), headers={**ANY, "x-api-key": key}
            )
            check(answer, page=route in PAGES and answer.headers["content-type"].startswith("text/html"))


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "/nowhere", None, 404),
        ("GET", "/api/nowhere", None, 404),
        ("TRACE", "/api/jobs", None, 405),
        ("PUT", "/api/jobs", b"{}", 405),
        ("POST", "/api/jobs", b"{", 400),
        ("POST", "/api/jobs", b" " * 2_000_000, 413),
        ("POST", "/api/jobs", MANY.encode(), 400),
        ("POST", "/api/sign-in", b" " * 20_000, 413),  # From whom nobody knows less is read.
        ("GET", "/api/jobs?" + "a=1&" * 10_000, None, 200),
        ("GET", "/openapi.json", None, 200),
    ],
)  # fmt: skip
async def test_refusals_carry_them_too(door: Door, method: str, path: str, content: bytes | None, status: int) -> None:
    answer = await door.client.request(method, path, content=content, headers=JSON if content else {})

    assert answer.status_code == status
    check(answer)


@pytest.mark.parametrize("body", [MANY, '{"' + "a" * 900_000 + '": 1}', f'{{"url": {MANY}, "retries": {MANY}}}'])
async def test_what_is_wrong_with_a_body_is_told_at_a_bounded_cost(door: Door, body: str) -> None:
    """Whoever could keep a process busy for seconds with one request would stop it for everybody."""
    guesses = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal guesses
        guesses += event == "call" and frame.f_code is get_close_matches.__code__

    path = f"/api/jobs/{(await door.job())['id']}/endpoints"
    sys.setprofile(count)
    try:
        answer = await door.client.post(path, content=body.encode(), headers=JSON)
    finally:
        sys.setprofile(None)

    assert len(assert_problem(answer, 400)["errors"]) <= FINDINGS_MAX
    assert guesses <= FINDINGS_MAX
    assert len(answer.content) < 100_000


async def test_a_fault_carries_them_and_tells_nothing_of_itself(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr(door.world.stores.jobs, "list", broken)

    answer = await door.client.get("/api/jobs")

    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    check(answer)


async def test_heads_and_lines_without_an_end_are_cut_off() -> None:
    async with a_listening_door() as door:
        port = door.client.base_url.port
        assert port is not None
        answers = [
            await exchange(port, b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
            await exchange(port, b"GET /api/jobs HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 200_000 + b"\r\n\r\n"),
            await exchange(port, b"GET /api/jobs HTTP/1.1\r\nHost: x\r\n" + b"X-A: a\r\n" * 20_000 + b"\r\n"),
            await exchange(port, b"GET /api/jobs HTTP/1.1\r\nHost: x\r\nX-A: a\x00b\r\nConnection: close\r\n\r\n"),
            await exchange(
                port, b"POST /api/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 9\r\n\r\n{"
            ),
            await exchange(
                port,
                b"POST /api/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
            ),
        ]
        alive = await door.client.get("/api/jobs")

    assert alive.status_code == 200
    for answer in answers:
        assert answer.partition(b" ")[2][:1] in {b"4", b""}, answer[:200]
        assert b"cronicorn_overdue_slots" not in answer  # No second request is smuggled in behind the first.
