"""Traces, told to a real receiver of OTLP over HTTP: what they say, what they never say, and what they cost nobody."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import blake2b

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from standardwebhooks import Webhook

from cronicorn.adapters.otel.slot_tracer import SlotTracer
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.domain.history import RunQuery
from cronicorn.scheduler.flowing import FlowingJobStore
from cronicorn.wiring.embedded import Embedded, embedded
from cronicorn.wiring.settings import Settings
from tests.waiting import eventually_async, eventually_awaited
from tests.wiring.alert_receivers import HttpReceiver, http_receiver

PATH = "/v1/traces"
SECRET = "tok-live-4711"
ENDPOINT = {
    "name": "order", "method": "POST", "dormant": True, "bodyJson": {"sku": 7}, "headersJson": {"x-token": SECRET},
    "retries": {"retryCount": 1, "minBackoffMs": 50, "maxBackoffMs": 50},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _batches_at_once(monkeypatch):
    """As whoever runs an SDK of OpenTelemetry says it, with a secret of the receiver's beside it."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20of-the-collector")


@asynccontextmanager
async def scheduling(folder, collector: str, **settings: str) -> AsyncIterator[Embedded]:
    given = {"EGRESS_ALLOW": "127.0.0.0/8", "TRACES_URL": collector} | settings
    chosen = Settings.from_env({f"CRONICORN_{name}": text for name, text in given.items() if text})
    async with embedded(folder / "jobs.db", settings=chosen) as cronicorn:
        yield cronicorn


async def asked(cronicorn: Embedded, **endpoint: object) -> str:
    """The id of an endpoint that was asked to run now."""
    file = {"jobs": [{"name": "shop", "endpoints": [ENDPOINT | endpoint]}]}
    await cronicorn.control.files.apply(cronicorn.principal, file)
    [(job, _)] = await cronicorn.control.jobs.list(cronicorn.principal)
    [view] = await cronicorn.control.endpoints.list(cronicorn.principal, job.id)
    return view.endpoint.id


async def runs_of(cronicorn: Embedded, endpoint_id: str):
    """Those that have ended."""
    page = await cronicorn.control.runs.list(cronicorn.principal, endpoint_id, RunQuery())
    return [run for run in page.runs if run.status.value != "running"]


def spans_of(collector: HttpReceiver) -> list[Span]:
    """All that the collector was told, the oldest first."""
    requests = [ExportTraceServiceRequest.FromString(each.body) for each in collector.at(PATH)]
    parts = [scope.spans for each in requests for resource in each.resource_spans for scope in resource.scope_spans]
    return sorted((span for spans in parts for span in spans), key=lambda span: (span.end_time_unix_nano, span.kind))


def said(span: Span) -> dict[str, object]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


async def test_a_slot_is_one_trace_with_an_attempt_below_it_for_each_call_and_its_targets_are_told(tmp_path):
    with http_receiver() as collector, http_receiver() as shop:
        shop.status = 500
        async with scheduling(tmp_path, f"{collector.url}{PATH}") as cronicorn:
            key = (await cronicorn.control.signing_keys.create(cronicorn.principal)).text
            once_at = (SystemClock().now() + timedelta(milliseconds=300)).isoformat()
            endpoint_id = await asked(
                cronicorn, url=f"{shop.url}/orders?token={SECRET}#part", dormant=None, onceAt=once_at
            )
            await eventually_async(lambda: shop.posted)
            shop.status = 200
            await eventually_async(lambda: len(spans_of(collector)) == 3)
        first, second, slot = spans_of(collector)
        told = collector.at(PATH)

    called = [each.headers["traceparent"] for each in shop.posted]
    assert called == [f"00-{each.trace_id.hex()}-{each.span_id.hex()}-01" for each in (first, second)]
    assert {each.trace_id for each in (first, second, slot)} == {slot.trace_id}
    assert (slot.parent_span_id, first.parent_span_id, second.parent_span_id) == (b"", slot.span_id, slot.span_id)
    assert [each.name for each in (first, second, slot)] == ["POST", "POST", "slot"]
    assert [said(each)["cronicorn.attempt"] for each in (first, second)] == [1, 2]
    assert said(first)["url.full"] == f"{shop.url}/orders"
    assert (said(first)["http.response.status_code"], first.status.code) == (500, Status.STATUS_CODE_ERROR)
    assert (said(second)["http.response.status_code"], second.status.code) == (200, Status.STATUS_CODE_UNSET)
    assert slot.start_time_unix_nano <= first.start_time_unix_nano < second.start_time_unix_nano
    assert said(slot) | {
        "cronicorn.endpoint.id": endpoint_id, "cronicorn.endpoint.name": "order", "cronicorn.attempts": 2,
        "cronicorn.slot.state": "ran", "cronicorn.run.status": "success",
    } == said(slot)  # fmt: skip
    for call in shop.posted:
        Webhook(key).verify(call.body, call.headers)
    assert told[0].headers["authorization"] == "Bearer of-the-collector"
    assert SECRET.encode() not in b"".join(each.body for each in told)


async def test_a_slot_is_known_by_its_identity_to_all_workers_and_a_share_leaves_out_whole_slots(tmp_path):
    with http_receiver() as collector, http_receiver() as shop:
        async with scheduling(tmp_path, f"{collector.url}{PATH}", TRACES_SHARE="0.000000001") as cronicorn:
            endpoint_id = await asked(cronicorn, url=shop.url)
            await cronicorn.control.requests.run_now(cronicorn.principal, endpoint_id)
            await eventually_async(lambda: shop.posted)
        async with scheduling(tmp_path, f"{collector.url}{PATH}") as cronicorn:
            await cronicorn.control.requests.run_now(cronicorn.principal, endpoint_id)
            await eventually_async(lambda: len(spans_of(collector)) == 2)
        attempt, slot = spans_of(collector)

    left_out, sampled = (each.headers["traceparent"] for each in shop.posted)
    assert left_out.endswith("-00"), "its target need not keep anything of it"
    assert sampled == f"00-{slot.trace_id.hex()}-{attempt.span_id.hex()}-01"
    for call in shop.posted:
        digest = blake2b(call.headers["idempotency-key"].encode(), digest_size=24, person=b"slot").hexdigest()
        assert call.headers["traceparent"].split("-")[1] == digest[:32]


async def test_a_slot_that_ends_without_a_call_has_a_span_that_says_why(tmp_path):
    with http_receiver() as collector, http_receiver() as shop:
        async with scheduling(tmp_path, f"{collector.url}{PATH}", RUNS_PER_MONTH="0") as cronicorn:
            once_at = (SystemClock().now() + timedelta(milliseconds=300)).isoformat()
            await asked(cronicorn, url=shop.url, dormant=None, onceAt=once_at)
            await eventually_async(lambda: spans_of(collector))
        [slot] = spans_of(collector)

    assert shop.posted == []
    assert (slot.name, slot.parent_span_id) == ("slot", b"")
    assert said(slot)["cronicorn.slot.state"] == "skipped_quota"
    assert slot.start_time_unix_nano <= slot.end_time_unix_nano


async def test_an_owner_who_says_what_the_parent_is_keeps_it(tmp_path):
    given = f"00-{'a' * 32}-{'b' * 16}-01"
    with http_receiver() as collector, http_receiver() as shop:
        async with scheduling(tmp_path, f"{collector.url}{PATH}") as cronicorn:
            endpoint_id = await asked(cronicorn, url=shop.url, headersJson={"TraceParent": given})
            await cronicorn.control.requests.run_now(cronicorn.principal, endpoint_id)
            await eventually_async(lambda: shop.posted)

    assert [each.headers["traceparent"] for each in shop.posted] == [given]


@pytest.mark.parametrize("answering", [True, False])
async def test_a_collector_that_is_away_or_refuses_costs_no_run_and_ends_in_time(answering, tmp_path, caplog):
    with http_receiver() as collector, http_receiver() as shop:
        collector.status = 503
        url = f"{collector.url}{PATH}" if answering else "http://127.0.0.1:9/v1/traces"
        async with scheduling(tmp_path, url) as cronicorn:
            endpoint_id = await asked(cronicorn, url=shop.url)
            await cronicorn.control.requests.run_now(cronicorn.principal, endpoint_id)
            await eventually_awaited(lambda: runs_of(cronicorn, endpoint_id))
            runs = await runs_of(cronicorn, endpoint_id)
            began = asyncio.get_running_loop().time()
        took = asyncio.get_running_loop().time() - began

    assert [each.status.value for each in runs] == ["success"]
    assert took < 15
    (lost,) = [record for record in caplog.records if record.message == "traces_not_exported"]
    assert vars(lost)["spans"] >= 1
    assert [record.name for record in caplog.records if record.name.startswith("opentelemetry")] == []


@pytest.mark.parametrize("part", ["begin", "settled"])
async def test_a_bug_in_tracing_costs_no_call_and_no_record(part, tmp_path, caplog, monkeypatch):
    def crash(*args):
        raise RuntimeError("a bug")

    monkeypatch.setattr(SlotTracer, part, crash)
    with http_receiver() as collector, http_receiver() as shop:
        async with scheduling(tmp_path, f"{collector.url}{PATH}") as cronicorn:
            endpoint_id = await asked(cronicorn, url=shop.url)
            await cronicorn.control.requests.run_now(cronicorn.principal, endpoint_id)
            await eventually_awaited(lambda: runs_of(cronicorn, endpoint_id))
            [run] = await runs_of(cronicorn, endpoint_id)

    (crashed,) = [record for record in caplog.records if record.message == "trace_crashed"]
    assert (run.status.value, len(shop.posted)) == ("success", 1)
    assert vars(crashed)["endpoint"] == endpoint_id
    assert [record.message for record in caplog.records if record.message == "run_crashed"] == []


async def test_without_a_place_for_traces_nothing_is_put_around_a_call(tmp_path):
    with http_receiver() as shop:
        async with scheduling(tmp_path, "") as cronicorn:
            endpoint_id = await asked(cronicorn, url=shop.url)
            await cronicorn.control.requests.run_now(cronicorn.principal, endpoint_id)
            await eventually_async(lambda: shop.posted)
            store = cronicorn.scheduler._executor.store

    assert isinstance(store, FlowingJobStore)
    assert "traceparent" not in shop.posted[0].headers


def test_without_it_nothing_of_the_sdk_is_imported(tmp_path):
    code = (
        "import asyncio, sys; from cronicorn.wiring.embedded import embedded\n"
        "async def main():\n"
        f"    async with embedded({str(tmp_path / 'other.db')!r}): pass\n"
        "asyncio.run(main()); print([name for name in sys.modules if name.startswith('opentelemetry.sdk')])"
    )

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert ended.stdout.strip() == "[]"
