"""Every metric by name: what `/metrics` shows and what the reference documentation lists.

Labels are words of this program (states, kinds, sources, methods, mechanisms), never ids, names or URLs: they stay
few. Where a mechanism is measured, its label tells it from the others, so that shares of tenants can be compared.
"""

from dataclasses import dataclass

_DELAYS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_STORE = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One row of the table."""

    name: str
    kind: str
    """counter, gauge or histogram."""
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


METRICS: tuple[Metric, ...] = (
    Metric(name="cronicorn_runs_total", kind="counter", labels=("status",), help="Runs recorded, by how they ended."),
    Metric(
        name="cronicorn_outcomes_total", kind="counter", labels=("kind",), help="Calls recorded, by what came of them."
    ),
    Metric(
        name="cronicorn_answers_judged_total",
        kind="counter",
        labels=("class",),
        help="Answers that a condition of their owner made a success, a degraded one or a failure.",
    ),
    Metric(
        name="cronicorn_plans_total",
        kind="counter",
        labels=("source",),
        help="Plans made after runs, by their source.",
    ),
    Metric(
        name="cronicorn_slots_skipped_total",
        kind="counter",
        labels=("state",),
        help="Nominal instants that did not run, by the state in which they ended.",
    ),
    Metric(
        name="cronicorn_start_delay_seconds",
        kind="histogram",
        buckets=_DELAYS,
        help="How long after its due instant a run began.",
    ),
    Metric(name="cronicorn_run_duration_seconds", kind="histogram", buckets=_DELAYS, help="How long calls took."),
    Metric(name="cronicorn_claims_total", kind="counter", labels=("mechanism",), help="Slots claimed."),
    Metric(
        name="cronicorn_claims_empty_total",
        kind="counter",
        labels=("mechanism",),
        help="Looks for due slots that found none to claim.",
    ),
    Metric(
        name="cronicorn_claims_contended_total",
        kind="counter",
        labels=("mechanism",),
        help="Empty looks although the one before had seen that a slot would be due: another worker was faster, or an "
        "edit moved it.",
    ),
    Metric(
        name="cronicorn_leases_lost_total",
        kind="counter",
        labels=("mechanism",),
        help="Leases that ended before their run was recorded; another worker runs the slot.",
    ),
    Metric(
        name="cronicorn_recovery_seconds",
        kind="histogram",
        labels=("mechanism",),
        buckets=_DELAYS,
        help="How long after its due instant a slot was claimed whose earlier worker was lost, the time of that worker "
        "included.",
    ),
    Metric(
        name="cronicorn_completions_refused_total",
        kind="counter",
        labels=("mechanism",),
        help="Settlements refused as stale, because another claim came first or an edit put the slot aside.",
    ),
    Metric(
        name="cronicorn_calls_in_vain_total",
        kind="counter",
        labels=("mechanism",),
        help="Those of them for which the call had been made: most are duplicate executions.",
    ),
    Metric(
        name="cronicorn_store_seconds",
        kind="histogram",
        labels=("method", "mechanism"),
        buckets=_STORE,
        help="How long the scheduler's store took to answer, by method; that of `claim_due` is the time of a claim.",
    ),
    Metric(
        name="cronicorn_store_errors_total",
        kind="counter",
        labels=("method", "mechanism"),
        help="Calls of the scheduler's store that failed because it was away or broken. For `overdue` the mechanism "
        "is empty.",
    ),
    Metric(name="cronicorn_calls_in_progress", kind="gauge", help="Slots this process is running now."),
    Metric(name="cronicorn_calls_max", kind="gauge", help="Slots this process may run at once."),
    Metric(
        name="cronicorn_overdue_slots",
        kind="gauge",
        help="Slots that have been due for too long without a worker. 0 in health; NaN when the store is away.",
    ),
    Metric(
        name="cronicorn_quota_reserved_tokens_total",
        kind="counter",
        labels=("budget",),
        help="Tokens reserved for calls of a model.",
    ),
    Metric(
        name="cronicorn_quota_committed_tokens_total",
        kind="counter",
        help="Tokens that calls of a model were charged, without those of processes that were killed.",
    ),
    Metric(
        name="cronicorn_quota_excess_tokens_total",
        kind="counter",
        help="Tokens that calls were charged beyond what was reserved for them: their provider billed more than the "
        "maximum it was sent. 0 in health.",
    ),
    Metric(
        name="cronicorn_quota_denied_total",
        kind="counter",
        labels=("budget", "reason"),
        help="Calls of a model that the token quota denied, by reason.",
    ),
    Metric(
        name="cronicorn_quota_overrun_tokens_total",
        kind="counter",
        help="Tokens that calls were charged above a limit, in the mode `soft`.",
    ),
    Metric(
        name="cronicorn_model_questions_total",
        kind="counter",
        labels=("purpose", "outcome"),
        help="Questions that a model was asked, by what they were for and what came of them.",
    ),
    Metric(
        name="cronicorn_model_tokens_total",
        kind="counter",
        labels=("purpose", "kind"),
        help="Tokens that questions took: `input`, `output`, and `estimated` where the provider did not count. "
        "`cached` is a part of `input`.",
    ),
    Metric(
        name="cronicorn_model_seconds",
        kind="histogram",
        labels=("purpose",),
        buckets=_DELAYS,
        help="How long a question took, with all its requests.",
    ),
    Metric(
        name="cronicorn_model_cost_dollars_total",
        kind="counter",
        labels=("purpose",),
        help="What questions cost in US dollars at list prices, without those whose price nobody knows.",
    ),
    Metric(
        name="cronicorn_analyses_total",
        kind="counter",
        labels=("outcome",),
        help="Analyses kept, by what became of them.",
    ),
    Metric(
        name="cronicorn_compiles_total",
        kind="counter",
        labels=("outcome",),
        help="Drafts of policies kept, by how they were judged.",
    ),
    Metric(name="cronicorn_open_incidents", kind="gauge", help="Incidents of all tenants that go on; NaN: no store."),
    Metric(
        name="cronicorn_alerts_total",
        kind="counter",
        labels=("channel", "outcome"),
        help="Attempts to deliver messages about incidents: `delivered`, `failed`, or `undelivered` for good.",
    ),
    Metric(
        name="cronicorn_build_info",
        kind="gauge",
        labels=("version", "python"),
        help="Always 1; its labels say what is running.",
    ),
)
