"""What the doors refuse, with a sentence, and what they only warn of."""

from typing import Any

import pytest

from cronicorn.control.document import EndpointDocument, EndpointPatch
from cronicorn.control.findings import Findings
from cronicorn.control.misfits import read_document
from cronicorn.domain.errors import InvalidInputError
from tests.control.world import ALICE, a_world

SOUND = {"name": "stock", "url": "https://shop.example/stock", "baselineIntervalMs": 60_000}
CRON = {"name": "stock", "url": "https://shop.example/stock", "baselineCron": "0 * * * *"}
FUTURE = "2026-06-01T00:00:00Z"


async def faults(document: dict[str, Any]) -> dict[str, str]:
    """What is wrong with *document*, by pointer."""
    world = a_world()
    job_id = await world.job()
    findings = Findings()
    read = read_document(EndpointDocument, document, findings)
    if read is None:
        return {error.pointer: error.message for error in findings.errors}
    try:
        await world.control.endpoints.create(ALICE, job_id, read)
    except InvalidInputError as error:
        return {fault.pointer: fault.message for fault in error.fields}
    return {}


async def warnings(document: dict[str, Any]) -> list[str]:
    """The pointers that *document* is warned of."""
    world = a_world()
    view = await world.control.endpoints.create(ALICE, await world.job(), EndpointDocument.model_validate(document))
    return [warning.pointer for warning in view.warnings]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "   "}, "/name"),
        ({"name": None}, "/name"),
        ({"name": "x" * 256}, "/name"),
        ({"name": "a\x00b"}, "/name"),
        ({"description": "x" * 2_001}, "/description"),
        ({"url": None}, "/url"),
        ({"url": "ftp://shop.example"}, "/url"),
        ({"url": "https://user:pass@shop.example"}, "/url"),
        ({"url": "shop.example"}, "/url"),
        ({"url": "https://shop.example/a b"}, "/url"),
        ({"baselineIntervalMs": None}, ""),
        ({"baselineIntervalMs": 999}, "/baselineIntervalMs"),
        ({"baselineIntervalMs": 0}, "/baselineIntervalMs"),
        ({"baselineIntervalMs": 10**400}, "/baselineIntervalMs"),
        ({"baselineCron": "0 * * * *"}, "/baselineIntervalMs"),
        ({"dormant": True}, "/dormant"),
        ({"onceAt": FUTURE}, "/onceAt"),
        ({"baselineIntervalMs": None, "baselineCron": ""}, "/baselineCron"),
        ({"baselineIntervalMs": None, "baselineCron": "61 * * * *"}, "/baselineCron"),
        ({"baselineIntervalMs": None, "baselineCron": "0 0 30 2 *"}, "/baselineCron"),
        ({"baselineIntervalMs": None, "onceAt": "2025-12-31T23:59:59Z"}, "/onceAt"),
        ({"baselineIntervalMs": None, "onceAt": FUTURE, "maxIntervalMs": 60_000}, "/maxIntervalMs"),
        ({"baselineIntervalMs": None, "dormant": True, "maxIntervalMs": 60_000}, "/maxIntervalMs"),
        ({"baselineIntervalMs": None, "dormant": True, "windowMs": 1_000}, "/windowMs"),
        ({"timezone": "Mars/Olympus"}, "/timezone"),
        ({"windowMs": 60_001}, "/windowMs"),
        ({"windowMs": -1}, "/windowMs"),
        ({"minIntervalMs": 2_000, "maxIntervalMs": 1_000}, "/minIntervalMs"),
        ({"minIntervalMs": 0}, "/minIntervalMs"),
        ({"maxIntervalMs": -5}, "/maxIntervalMs"),
        ({"catchUp": {"mode": "sometimes"}}, "/catchUp/mode"),
        ({"catchUp": {"maxRuns": 101}}, "/catchUp/maxRuns"),
        ({"catchUp": {"windowMs": 0}}, "/catchUp/windowMs"),
        ({"overlap": "allow_all"}, "/overlap"),
        ({"overlap": "buffer_all"}, "/overlap"),
        ({"overlap": "terminate_other"}, "/overlap"),
        ({"overlap": ["skip"]}, "/overlap"),
        ({"retries": {"retryCount": 6}}, "/retries/retryCount"),
        ({"retries": {"retryCount": -1}}, "/retries/retryCount"),
        ({"retries": {"minBackoffMs": 2_000, "maxBackoffMs": 1_000}}, "/retries/minBackoffMs"),
        ({"successStatuses": []}, "/successStatuses"),
        ({"successStatuses": ["abc"]}, "/successStatuses/0"),
        ({"successStatuses": ["299-200"]}, "/successStatuses/0"),
        ({"successStatuses": ["200", "99"]}, "/successStatuses/1"),
        ({"method": "TRACE"}, "/method"),
        ({"headersJson": {"Host": "x"}}, "/headersJson/Host"),
        ({"headersJson": {"content-length": "1"}}, "/headersJson/content-length"),
        ({"headersJson": {"Connection": "close"}}, "/headersJson/Connection"),
        ({"headersJson": {"X-A": "a\r\nB: c"}}, "/headersJson/X-A"),
        ({"headersJson": {"X-A": "a\x00"}}, "/headersJson/X-A"),
        ({"headersJson": {"X A": "a"}}, "/headersJson/X A"),
        ({"headersJson": {"X/A": "a"}}, "/headersJson/X~1A"),
        ({"headersJson": {"X-A": "a", "x-a": "b"}}, "/headersJson/x-a"),
        ({"headersJson": {"Authorization": "********"}}, "/headersJson/Authorization"),
        ({"headersJson": {f"X-{number}": "a" for number in range(101)}}, "/headersJson"),
        ({"bodyJson": float("inf")}, "/bodyJson"),
        ({"bodyJson": {"a": "\ud800"}}, "/bodyJson"),
        ({"timeoutMs": 0}, "/timeoutMs"),
        ({"maxExecutionTimeMs": 1_800_001}, "/maxExecutionTimeMs"),
        ({"maxResponseSizeKb": 0}, "/maxResponseSizeKb"),
        ({"redirectsMax": 11}, "/redirectsMax"),
        ({"anchorAt": "2026-01-01T00:00:00"}, "/anchorAt"),
        ({"anchorAt": "yesterday"}, "/anchorAt"),
        ({"anchorAt": "0001-01-01T00:00:00+14:00"}, "/anchorAt"),
        ({"baselineIntervalMs": True}, "/baselineIntervalMs"),
        ({"baselineIntervalMs": "60000"}, "/baselineIntervalMs"),
        ({"baselineIntervalMs": 60000.0}, "/baselineIntervalMs"),
        ({"unknown": 1}, "/unknown"),
    ],
)
async def test_what_cant_be_meant_is_refused_where_it_stands(changes: dict[str, Any], pointer: str) -> None:
    found = await faults(SOUND | changes)

    assert list(found) == [pointer]
    assert found[pointer].endswith((".", "?"))


async def test_everything_wrong_with_one_input_is_told_at_once() -> None:
    found = await faults(
        {
            "name": "", "url": "ftp://x", "baselineCron": "61 * * * *", "baselineIntervalMs": 5, "timezone": "Mars/X",
            "minIntervalMs": 10, "maxIntervalMs": 5, "retries": {"retryCount": 9}, "headersJson": {"Host": "x"},
        }
    )  # fmt: skip

    assert set(found) == {
        "/name", "/url", "/baselineCron", "/baselineIntervalMs", "/timezone", "/minIntervalMs", "/retries/retryCount",
        "/headersJson/Host",
    }  # fmt: skip


async def test_an_unknown_field_is_answered_with_the_one_that_was_meant() -> None:
    found = await faults(SOUND | {"timeOutMs": 1, "retries": {"retrycount": 1}})

    assert "timeoutMs" in found["/timeOutMs"]
    assert "retryCount" in found["/retries/retrycount"]


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        (CRON | {"maxIntervalMs": 1_800_000}, "/maxIntervalMs"),
        (SOUND | {"maxIntervalMs": 30_000}, "/maxIntervalMs"),
        (SOUND | {"minIntervalMs": 120_000}, "/minIntervalMs"),
        (SOUND | {"timeoutMs": 120_000}, "/timeoutMs"),
        (SOUND | {"maxResponseSizeKb": 1_000_000}, "/maxResponseSizeKb"),
        (SOUND | {"bodyJson": {}}, "/bodyJson"),
        (SOUND | {"headersJson": {"Idempotency-Key": "x"}}, "/headersJson/Idempotency-Key"),
        (SOUND | {"catchUp": {"maxRuns": 3}}, "/catchUp/maxRuns"),
        (CRON | {"anchorAt": FUTURE}, "/anchorAt"),
    ],
)
async def test_what_is_only_odd_is_accepted_with_a_warning(document: dict[str, Any], pointer: str) -> None:
    assert await warnings(document) == [pointer]


@pytest.mark.parametrize(("most", "count"), [(999, 2), (1_000, 1)])
async def test_a_maximum_that_counts_as_a_second_is_warned_of_beside_being_below_the_interval(
    most: int, count: int
) -> None:
    assert await warnings(SOUND | {"maxIntervalMs": most}) == ["/maxIntervalMs"] * count


@pytest.mark.parametrize(
    "document",
    [
        SOUND,
        CRON | {"maxIntervalMs": 3_600_000, "timezone": "Europe/Berlin", "dstGap": "skip", "dstOverlap": "both"},
        {"name": "n", "url": "http://127.0.0.1:8000", "onceAt": FUTURE},
        {"name": "n", "url": "http://127.0.0.1:8000", "dormant": True, "minIntervalMs": 5},
        SOUND | {"windowMs": 60_000, "successStatuses": ["200-299", "404"], "overlap": "cancel_other"},
        SOUND | {"method": "POST", "bodyJson": 0, "headersJson": {"X-A": "b"}},
    ],
)
async def test_a_sound_endpoint_is_accepted_without_a_word(document: dict[str, Any]) -> None:
    assert await warnings(document) == []


async def test_a_deep_or_shared_body_is_refused_before_it_is_written_out() -> None:
    deep: list[object] = []
    for _ in range(100):
        deep = [deep]
    shared: list[object] = ["lol"]
    for _ in range(40):
        shared = [shared, shared]

    assert "/bodyJson" in await faults(SOUND | {"bodyJson": deep})
    assert "/bodyJson" in await faults(SOUND | {"bodyJson": shared})


async def test_a_patch_is_judged_on_what_comes_of_it() -> None:
    world = a_world()
    endpoint = await world.endpoint(minIntervalMs=30_000)

    with pytest.raises(InvalidInputError, match="maxIntervalMs"):
        await world.control.endpoints.edit(ALICE, endpoint.id, EndpointPatch.model_validate({"maxIntervalMs": 20_000}))

    assert await world.now_stored(endpoint) == endpoint
