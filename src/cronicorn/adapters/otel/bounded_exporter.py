"""An exporter of spans that says when it fails, and does not hold up a process that ends."""

import logging
import time
from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

log = logging.getLogger(__name__)

ENDING_MAX_S = 2.0
"""So long spans that are left are still sent once the process ends."""
_TELL_AGAIN_S = 60.0


class BoundedExporter(SpanExporter):
    """Exports through another, in the thread that the batches are made in. Spans that it can't deliver are lost."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner
        self._lost = 0
        self._tell_from_mono = 0.0
        self._end_by_mono: float | None = None

    def end_soon(self) -> None:
        """From now on there is `ENDING_MAX_S` for what is left."""
        self._end_by_mono = time.monotonic() + ENDING_MAX_S

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        now_mono = time.monotonic()
        in_time = self._end_by_mono is None or now_mono < self._end_by_mono
        result = self._inner.export(spans) if in_time else SpanExportResult.FAILURE
        if result is not SpanExportResult.SUCCESS:
            self._lost += len(spans)
        if self._lost and now_mono >= self._tell_from_mono:
            log.warning("traces_not_exported", extra={"spans": self._lost})
            self._lost, self._tell_from_mono = 0, now_mono + _TELL_AGAIN_S
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()
