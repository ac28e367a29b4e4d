"""Spans of slots and of their attempts."""

import logging
from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.util.types import AttributeValue

from cronicorn.adapters.otel.bounded_exporter import BoundedExporter
from cronicorn.domain.call import Call, Outcome, OutcomeKind
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.instant import EPOCH, MICROSECOND
from cronicorn.domain.lease import Lease
from cronicorn.domain.outgoing import ID_HEADER, VERSION
from cronicorn.domain.run import Run, RunStatus
from cronicorn.domain.settlement import Settlement
from cronicorn.domain.slot import SlotState
from cronicorn.domain.target import parse_target

EXPORT_MAX_S = 3.0
"""So long one batch of spans is tried to be sent."""
_LATER_MAX = 10_000
_FAILED_STATUS = 400


class _SlotIds(NamedTuple):
    """By which a slot is known in traces: made of its identity, so that all workers know it by the same."""

    trace_id: int
    span_id: int

    @classmethod
    def of(cls, identity: str) -> "_SlotIds":
        """Those of the slot with the Idempotency-Key *identity*."""
        digest = blake2b(identity.encode(), digest_size=24, person=b"slot").digest()
        return cls(int.from_bytes(digest[:16]) or 1, int.from_bytes(digest[16:]) or 1)


class _ChosenIds(RandomIdGenerator):
    """Ids that are chosen for the next root span, and random ones for all others."""

    def __init__(self) -> None:
        self.chosen: _SlotIds | None = None

    def generate_trace_id(self) -> int:
        return self.chosen.trace_id if self.chosen is not None else super().generate_trace_id()

    def generate_span_id(self) -> int:
        return self.chosen.span_id if self.chosen is not None else super().generate_span_id()


class SlotTracer:
    """Makes one span for each slot, and one below it for each attempt. Belongs to one event loop; `close` it.

    Whether a slot is traced is decided by its identity at its first attempt, by every worker alike. Sending is another
    thread's business: what does not fit in its queue, or can't be sent, is lost, and holds up no call.
    """

    def __init__(self, url: str, share: float, worker_id: str) -> None:
        """Send spans of a *share* (0 to 1) of all slots to *url*, an OTLP/HTTP endpoint with its path.

        What SDKs of OpenTelemetry read of the environment is honoured where it says more: headers, resource, batches.
        """
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # It tells of each failure in prose; we count.
        self._ids = _ChosenIds()
        self._exporter = BoundedExporter(OTLPSpanExporter(endpoint=url, timeout=EXPORT_MAX_S))
        self._provider = TracerProvider(
            sampler=TraceIdRatioBased(share),
            resource=_resource(worker_id),
            id_generator=self._ids,
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("cronicorn", VERSION)
        self._later: dict[str, int] = {}
        """Numbers of attempts after the first, of slots that were claimed and not called yet."""

    def claimed(self, leases: Sequence[Lease]) -> None:
        """*leases* may be called next."""
        for lease in leases:
            if lease.attempt > 1 and len(self._later) < _LATER_MAX:
                self._later[_identity(lease)] = lease.attempt

    def given_back(self, leases: Sequence[Lease]) -> None:
        """*leases* are not called any more."""
        for lease in leases:
            self._later.pop(_identity(lease), None)

    def begin(self, call: Call) -> Span:
        """The span of an attempt that is made now by *call*."""
        identity = call.headers[ID_HEADER]
        endpoint_id, _, slot = identity.rpartition(":")
        attributes: dict[str, AttributeValue] = {
            "cronicorn.tenant.id": call.tenant_id,
            "cronicorn.endpoint.id": endpoint_id,
            "cronicorn.slot.number": int(slot),
            "cronicorn.attempt": self._later.pop(identity, 1),
            "http.request.method": call.method.value,
            **_address(call.url),
        }
        return self._tracer.start_span(call.method.value, _below(identity), SpanKind.CLIENT, attributes)

    def end(self, span: Span, outcome: Outcome) -> None:
        """The attempt of *span* ended with *outcome*."""
        span.set_attribute("cronicorn.outcome", outcome.kind.value)
        status = outcome.status_code
        if status is not None:
            span.set_attribute("http.response.status_code", status)
        if outcome.kind is not OutcomeKind.RESPONDED:
            self._failed(span, outcome.kind.value, outcome.error)
        elif status is not None and status >= _FAILED_STATUS:
            self._failed(span, str(status), None)
        span.end()

    def break_off(self, span: Span, error: BaseException) -> None:
        """The attempt of *span* ended without an outcome: it was stopped, or could not be made."""
        self._failed(span, type(error).__name__, None)
        span.end()

    def settled(self, lease: Lease, run: Run | None, settlement: Settlement) -> None:
        """An attempt at the slot of *lease* was recorded. When it was the last, the slot has its span."""
        goes_on = settlement.state.slot == lease.slot and not lease.manual
        if goes_on or (run is None and not settlement.skips):
            return
        self._ids.chosen = _SlotIds.of(_identity(lease))
        try:
            span = self._tracer.start_span(
                "slot", Context(), attributes=_of_slot(lease, run, settlement), start_time=_ns(_due_at(lease, run))
            )
        finally:
            self._ids.chosen = None
        if run is not None and run.status is RunStatus.FAILED:
            span.set_status(Status(StatusCode.ERROR))
        span.end(_ns(run.finished_at if run is not None else lease.claimed_at))

    def close(self) -> None:
        """Send what is left, for a few seconds at most. Blocks."""
        self._exporter.end_soon()
        self._provider.shutdown()

    @staticmethod
    def _failed(span: Span, kind: str, why: str | None) -> None:
        span.set_attribute("error.type", kind)
        span.set_status(Status(StatusCode.ERROR, why))


def _resource(worker_id: str) -> Resource:
    """Who tells; the environment may say otherwise."""
    ours = {"service.name": "cronicorn", "service.version": VERSION, "service.instance.id": worker_id}
    return Resource.create().merge(Resource(ours)).merge(OTELResourceDetector().detect())


def _identity(lease: Lease) -> str:
    return f"{lease.endpoint.id}:{lease.slot}"


def _below(identity: str) -> Context:
    """The context of attempts at the slot: its own span is made when it ends."""
    ids = _SlotIds.of(identity)
    return set_span_in_context(NonRecordingSpan(SpanContext(ids.trace_id, ids.span_id, is_remote=True)), Context())


def _address(url: str) -> dict[str, AttributeValue]:
    """Where a call goes, without query and fragment, which may be secret; nothing of a URL that can't be called."""
    try:
        target = parse_target(url)
    except InvalidInputError:
        return {}
    site = target.site
    return {
        "url.full": f"{site.scheme}://{site.authority}{target.path.partition('?')[0]}",
        "server.address": site.host,
        "server.port": site.port,
    }


def _of_slot(lease: Lease, run: Run | None, settlement: Settlement) -> dict[str, AttributeValue]:
    endpoint = lease.endpoint
    found: dict[str, AttributeValue] = {
        "cronicorn.tenant.id": endpoint.tenant_id,
        "cronicorn.job.id": endpoint.job_id,
        "cronicorn.endpoint.id": endpoint.id,
        "cronicorn.endpoint.name": endpoint.name,
        "cronicorn.slot.number": lease.slot,
        "cronicorn.slot.state": SlotState.RAN.value if run is not None else settlement.skips[0].state.value,
    }
    if run is None:
        return found
    return found | {
        "cronicorn.source": run.source.value,
        "cronicorn.attempts": run.attempt,
        "cronicorn.run.status": run.status.value,
    }


def _due_at(lease: Lease, run: Run | None) -> datetime:
    """Since when the slot was due, at its first attempt where that is known."""
    if run is None:
        return min(lease.due_at or lease.claimed_at, lease.claimed_at)
    due_at = run.nominal_at if run.attempt > 1 and run.nominal_at is not None else run.due_at
    return min(due_at, run.started_at)


def _ns(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND * 1_000
