"""How long it takes to plan, to settle and to store a trace, against the least a plan can cost."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from benchmarks.report import Report, Row, microseconds_each
from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.domain.decision import Facts, decide
from cronicorn.domain.editing import started
from cronicorn.domain.endpoint import Baseline, JobEndpoint
from cronicorn.domain.fixtures import MIDNIGHT, a_lease, a_one_shot, a_run, an_endpoint, an_interval_hint
from cronicorn.domain.plan import Plan, Source
from cronicorn.domain.planning import plan_next_run
from cronicorn.domain.settlement import Stored
from cronicorn.domain.trace import Mark, Step, Trace, Verdict


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show."""
    number = 20 if quick else 2_000
    bound = microseconds_each(_least_plan, number=number)
    rows: list[Row] = [{"what": "bound: an instant, a step and a plan object", "µs": bound, "times the bound": 1.0}]
    for name, function in _cases().items():
        mean = microseconds_each(function, number=number)
        rows.append({"what": name, "µs": mean, "times the bound": mean / bound})
    Report(name="plan", about="µs per call, median of 7 rounds", rows=rows).show(as_json=as_json)


def _least_plan() -> Plan:
    at = MIDNIGHT + timedelta(seconds=60)
    return Plan(at, Source.BASELINE_INTERVAL, Trace(MIDNIGHT, (Step(Mark.INTERVAL, Verdict.WON, at),)))


def _cases() -> dict[str, Callable[[], object]]:
    cron = CronsimCron()
    interval = started(an_endpoint(), MIDNIGHT, cron)
    crontab = started(an_endpoint(baseline=Baseline(cron="*/5 * * * *")), MIDNIGHT, cron)
    hints = (an_interval_hint(timedelta(seconds=30)), a_one_shot(MIDNIGHT + timedelta(seconds=10)))
    hinted = replace(interval, state=replace(interval.state, hints=hints), interval_min=timedelta(seconds=20))
    trace = plan_next_run(MIDNIGHT, hinted, cron).trace
    code = trace.encode()
    return {
        "plan_next_run, interval": lambda: plan_next_run(MIDNIGHT, interval, cron),
        "plan_next_run, cron": lambda: plan_next_run(MIDNIGHT, crontab, cron),
        "plan_next_run, two hints and a minimum": lambda: plan_next_run(MIDNIGHT, hinted, cron),
        "decide, interval": _settling(interval, cron),
        "decide, cron": _settling(crontab, cron),
        "trace to its stored form": trace.encode,
        "trace from its stored form": lambda: Trace.decode(code),
    }


def _settling(endpoint: JobEndpoint, cron: CronsimCron) -> Callable[[], object]:
    plan = endpoint.state.plan
    assert plan is not None
    assert plan.next_run_at is not None
    finished = a_run(a_lease(endpoint, now=plan.next_run_at))
    facts = Facts(stored=Stored(now=finished.finished_at), run=finished, manual=False, cron=cron)
    return lambda: decide(endpoint, facts)
