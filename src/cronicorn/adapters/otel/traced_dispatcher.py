"""A dispatcher whose calls have spans, and tell targets of them."""

import logging

from opentelemetry.trace import Span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from cronicorn.adapters.otel.slot_tracer import SlotTracer
from cronicorn.domain.call import Call, Outcome
from cronicorn.domain.outgoing import call_facts
from cronicorn.domain.ports import Dispatcher

log = logging.getLogger(__name__)

_PROPAGATOR = TraceContextTextMapPropagator()


class TracedDispatcher(Dispatcher):
    """Calls through another dispatcher. A target is told of the span (W3C Trace Context) unless an owner does so."""

    def __init__(self, inner: Dispatcher, tracer: SlotTracer) -> None:
        self._inner = inner
        self._tracer = tracer

    async def dispatch(self, call: Call) -> Outcome:
        try:
            span = self._tracer.begin(call)
            told = _told(call, span)
        except Exception:  # A bug in what is told of a call must not keep it from being made.
            log.exception("trace_crashed", extra=call_facts(call))
            return await self._inner.dispatch(call)
        try:
            outcome = await self._inner.dispatch(told)
        except BaseException as error:
            self._tracer.break_off(span, error)
            raise
        self._tracer.end(span, outcome)
        return outcome


def _told(call: Call, span: Span) -> Call:
    carried: dict[str, str] = {}
    _PROPAGATOR.inject(carried, set_span_in_context(span))
    given = {name.lower() for name in call.headers}
    return call if given & _PROPAGATOR.fields else call._replace(headers={**call.headers, **carried})
