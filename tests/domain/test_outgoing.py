"""What is sent to an endpoint."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cronicorn.domain.call import Call, Method, Request, StatusRange, SuccessCriteria
from cronicorn.domain.endpoint import EndpointState
from cronicorn.domain.fixtures import an_endpoint
from cronicorn.domain.outgoing import RESPONSE_KB_MAX, USER_AGENT, VERSION, call_for
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.signals.memory import SignalMemory
from cronicorn.domain.steering_memory import SteeringMemory
from tests.architecture.source import ROOT

URL = "https://shop.example/stock"


def call_of(slot: int = 7, **changes: Any) -> Call:
    return call_for(an_endpoint(request=replace(Request(url=URL), **changes)), slot)


def test_a_call_names_its_sender_and_its_slot() -> None:
    call = call_of(slot=7)

    assert call.headers == {"User-Agent": USER_AGENT, "Idempotency-Key": "ep1:7"}


def test_the_version_in_the_user_agent_is_that_of_the_package() -> None:
    assert f'\nversion = "{VERSION}"\n' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_every_attempt_at_a_slot_sends_the_same() -> None:
    assert call_of(slot=3) == call_of(slot=3)
    assert call_of(slot=3) != call_of(slot=4)


def test_the_owners_user_agent_wins() -> None:
    call = call_of(headers=(("user-agent", "mine"),))

    assert call.headers == {"user-agent": "mine", "Idempotency-Key": "ep1:7"}


@pytest.mark.parametrize(
    "header",
    [
        ("Host", "other.example"),
        ("content-length", "3"),
        ("Transfer-Encoding", "chunked"),
        ("CONNECTION", "close"),
        ("idempotency-key", "mine"),
        ("X-Odd", "a\r\nX-Injected: b"),
        ("X-Odd", "a\x00"),
        ("X Odd", "a"),
        ("", "a"),
    ],
)
def test_a_header_that_would_break_the_message_is_left_out(header: tuple[str, str]) -> None:
    call = call_of(headers=(header, ("X-Fine", "yes")))

    assert call.headers == {"X-Fine": "yes", "User-Agent": USER_AGENT, "Idempotency-Key": "ep1:7"}


@pytest.mark.parametrize("body", ["null", "0", "false", '""', '{"a":"ü"}'])
def test_every_json_value_is_a_body(body: str) -> None:
    call = call_of(method=Method.POST, body_json=body)

    assert call.body == body.encode()
    assert call.headers["Content-Type"] == "application/json"


def test_the_owners_content_type_wins() -> None:
    call = call_of(body_json="{}", headers=(("content-type", "application/vnd.shop+json"),))

    assert call.headers["content-type"] == "application/vnd.shop+json"
    assert "Content-Type" not in call.headers


@pytest.mark.parametrize(
    ("timeout_s", "execution_s", "expected_s"), [(30, 60, 30), (0.2, 60, 1), (90, 60, 60), (0.2, 0.5, 0.5)]
)
def test_no_call_outlives_its_execution_limit(timeout_s: float, execution_s: float, expected_s: float) -> None:
    call = call_of(timeout=timedelta(seconds=timeout_s), execution_max=timedelta(seconds=execution_s))

    assert call.timeout == timedelta(seconds=expected_s)


@pytest.mark.parametrize(("kilobytes", "expected"), [(100, 102_400), (2**31 - 1, RESPONSE_KB_MAX * 1024), (-1, 0)])
def test_an_answer_is_kept_within_bounds(kilobytes: int, expected: int) -> None:
    assert call_of(response_kb_max=kilobytes).response_bytes_max == expected


def test_a_call_is_conditional_on_what_the_last_success_said_where_nobody_needs_the_body() -> None:
    remembered = EndpointState(memory=SteeringMemory(signals=SignalMemory(etag='"v1"')))
    endpoint = an_endpoint(request=Request(url=URL), state=remembered)
    ruled = replace(endpoint, policy=Policy())
    strict = replace(endpoint, success=SuccessCriteria(statuses=(StatusRange(low=200, high=200),)))
    owned = replace(endpoint, request=replace(endpoint.request, headers=(("if-match", "*"),)))

    assert call_for(endpoint, 1, conditional=True).headers["If-None-Match"] == '"v1"'
    assert "If-None-Match" not in call_for(endpoint, 1).headers
    for other in (ruled, strict, owned):
        assert "If-None-Match" not in call_for(other, 1, conditional=True).headers
