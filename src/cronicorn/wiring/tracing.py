"""Traces around what a scheduler works with, where they were asked for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cronicorn.domain.ports import Dispatcher, JobStore
from cronicorn.wiring.extras import require
from cronicorn.wiring.settings import Settings


@asynccontextmanager
async def traced(
    settings: Settings, store: JobStore, dispatcher: Dispatcher, worker_id: str
) -> AsyncIterator[tuple[JobStore, Dispatcher]]:
    """*store* and *dispatcher*, whose slots and calls have spans where CRONICORN_TRACES_URL says where these go.

    Without it both are answered as they are. Raises UnavailableError when what makes spans is not installed.
    """
    if settings.traces_url is None:
        yield store, dispatcher
        return
    for module in ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"):
        require(module, "otel", "CRONICORN_TRACES_URL")
    from cronicorn.adapters.otel.slot_tracer import SlotTracer
    from cronicorn.adapters.otel.traced_dispatcher import TracedDispatcher
    from cronicorn.adapters.otel.traced_job_store import TracedJobStore

    tracer = SlotTracer(settings.traces_url.text, settings.traces_share, worker_id)
    try:
        yield TracedJobStore(store, tracer), TracedDispatcher(dispatcher, tracer)
    finally:
        await asyncio.to_thread(tracer.close)
