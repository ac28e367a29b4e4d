"""The metrics of one process, in a registry of their own."""

import math
import platform
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from cronicorn.adapters.metrics.catalog import METRICS, Metric
from cronicorn.domain.alert.alerting import AlertChannel
from cronicorn.domain.alert.incident import MessageState
from cronicorn.domain.compilation.draft import DraftStatus
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.lease import Lease
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.quota.decision import DenialReason
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Settlement

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """Counts what happens, and writes it down for Prometheus."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        made = {metric.name: _made(metric, self._registry) for metric in METRICS}
        self._counters = {name: each for name, each in made.items() if isinstance(each, Counter)}
        self._gauges = {name: each for name, each in made.items() if isinstance(each, Gauge)}
        self._histograms = {name: each for name, each in made.items() if isinstance(each, Histogram)}
        self._counting: dict[tuple[str, ...], Counter] = {}
        self._observing: dict[tuple[str, ...], Histogram] = {}
        release, python = version("cronicorn"), platform.python_version()
        self._gauges["cronicorn_build_info"].labels(release, python).set(1)

    def settled(self, run: Run | None, settlement: Settlement) -> None:
        """A slot ended: with a run, or (None) without a call."""
        if run is not None:
            self._counter("cronicorn_runs_total", run.status.value).inc()
            self._counter("cronicorn_outcomes_total", run.outcome.kind.value).inc()
            if run.outcome.judged is not None:
                self._counter("cronicorn_answers_judged_total", run.outcome.judged.answer_class.value).inc()
            delay = (run.started_at - run.due_at).total_seconds()
            self._histograms["cronicorn_start_delay_seconds"].observe(max(delay, 0.0))
            self._histograms["cronicorn_run_duration_seconds"].observe(run.outcome.duration.total_seconds())
        if settlement.state.plan is not None:
            self._counter("cronicorn_plans_total", settlement.state.plan.source.value).inc()
        for skip in settlement.skips:
            self._counter("cronicorn_slots_skipped_total", skip.state.value).inc(max(skip.count, 1))

    def claimed(self, mechanism: str, leases: Sequence[Lease], *, expected: bool) -> None:
        """A look for due slots gave *leases*; *expected* says whether one had been seen to be due."""
        self._counter("cronicorn_claims_total", mechanism).inc(len(leases))
        if not leases:
            self._counter("cronicorn_claims_empty_total", mechanism).inc()
            self._counter("cronicorn_claims_contended_total", mechanism).inc(int(expected))
        for lease in leases:
            if lease.taken_over and lease.due_at is not None:
                waited = (lease.claimed_at - lease.due_at).total_seconds()
                self._histogram("cronicorn_recovery_seconds", mechanism).observe(max(waited, 0.0))

    def leases_lost(self, mechanism: str, count: int) -> None:
        """*count* leases ended before their runs were recorded."""
        self._counter("cronicorn_leases_lost_total", mechanism).inc(count)

    def refused(self, mechanism: str, run: Run | None) -> None:
        """A settlement was stale; its *run* (None: no call was made) counts for nothing."""
        self._counter("cronicorn_completions_refused_total", mechanism).inc()
        self._counter("cronicorn_calls_in_vain_total", mechanism).inc(int(run is not None))

    def store_answered(self, method: str, mechanism: str, seconds: float) -> None:
        """The store took *seconds* for *method*."""
        self._histogram("cronicorn_store_seconds", method, mechanism).observe(seconds)

    def store_failed(self, method: str, mechanism: str = "") -> None:
        """The store could not do *method*."""
        self._counter("cronicorn_store_errors_total", method, mechanism).inc()

    def quota_reserved(self, budget: Budget, tokens: int) -> None:
        """A call of a model was granted."""
        self._counter("cronicorn_quota_reserved_tokens_total", budget.value).inc(tokens)

    def quota_committed(self, tokens: int) -> None:
        """A call of a model was charged."""
        self._counters["cronicorn_quota_committed_tokens_total"].inc(tokens)

    def quota_exceeded(self, tokens: int) -> None:
        """So many more tokens were charged to a call than were reserved for it."""
        self._counters["cronicorn_quota_excess_tokens_total"].inc(tokens)

    def quota_denied(self, budget: Budget, reason: DenialReason) -> None:
        """A call of a model was denied."""
        self._counter("cronicorn_quota_denied_total", budget.value, reason.value).inc()

    def quota_overrun(self, tokens: int) -> None:
        """So many more tokens are above a limit."""
        self._counters["cronicorn_quota_overrun_tokens_total"].inc(tokens)

    def model_asked(
        self, purpose: Budget, outcome: str, took: timedelta, tokens: Mapping[str, int], cost: Decimal | None
    ) -> None:
        """A model was asked a question: *tokens* by their kind, *cost* in US dollars."""
        self._counter("cronicorn_model_questions_total", purpose.value, outcome).inc()
        for kind, count in tokens.items():
            self._counter("cronicorn_model_tokens_total", purpose.value, kind).inc(count)
        self._histogram("cronicorn_model_seconds", purpose.value).observe(took.total_seconds())
        if cost is not None:
            self._counter("cronicorn_model_cost_dollars_total", purpose.value).inc(float(cost))

    def analysed(self, outcome: str) -> None:
        """An analysis was kept."""
        self._counter("cronicorn_analyses_total", outcome).inc()

    def incidents_open(self, count: int | None) -> None:
        """So many incidents go on; None when that can't be told."""
        self._gauges["cronicorn_open_incidents"].set(math.nan if count is None else count)

    def alert_attempted(self, state: MessageState, channel: AlertChannel | None) -> None:
        """A message was sent over *channel*, or not; None: its route is gone."""
        outcome = "failed" if state is MessageState.WAITING else state.value
        self._counter("cronicorn_alerts_total", channel.value if channel is not None else "", outcome).inc()

    def compiled(self, status: DraftStatus) -> None:
        """A draft was kept."""
        self._counter("cronicorn_compiles_total", status.value).inc()

    def watch_calls(self, in_progress: Callable[[], int], calls_max: int) -> None:
        """Show what *in_progress* answers whenever somebody looks, beside the limit."""
        self._gauges["cronicorn_calls_in_progress"].set_function(in_progress)
        self._gauges["cronicorn_calls_max"].set(calls_max)

    async def exposition(self, overdue: Callable[[], Awaitable[int]]) -> bytes:
        """All metrics in Prometheus's text format, of CONTENT_TYPE; *overdue* counts the overdue slots."""
        try:
            count: float = await overdue()
        except UnavailableError:
            self.store_failed("overdue")
            count = math.nan
        self._gauges["cronicorn_overdue_slots"].set(count)
        return generate_latest(_WithoutBirthdays(self._registry))

    def _counter(self, *name_and_labels: str) -> Counter:
        """A counter with labels, found again without prometheus_client's checks: they cost more than counting."""
        counter = self._counting.get(name_and_labels)
        if counter is None:
            name, *labels = name_and_labels
            counter = self._counting[name_and_labels] = self._counters[name].labels(*labels)
        return counter

    def _histogram(self, *name_and_labels: str) -> Histogram:
        """As `_counter`."""
        histogram = self._observing.get(name_and_labels)
        if histogram is None:
            name, *labels = name_and_labels
            histogram = self._observing[name_and_labels] = self._histograms[name].labels(*labels)
        return histogram


class _WithoutBirthdays(Collector):
    """A registry without the `_created` series, which would double the number of counters that nobody asked for."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Family]:
        for family in self._registry.collect():
            family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
            yield family


def _made(metric: Metric, registry: CollectorRegistry) -> MetricWrapperBase:
    match metric.kind:
        case "counter":
            return Counter(metric.name, metric.help, metric.labels, registry=registry)
        case "gauge":
            return Gauge(metric.name, metric.help, metric.labels, registry=registry)
        case _:
            return Histogram(metric.name, metric.help, metric.labels, registry=registry, buckets=metric.buckets)
