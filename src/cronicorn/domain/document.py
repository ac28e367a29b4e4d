"""Documents: plain JSON for what stores keep of an endpoint, exact in both directions.

A document holds objects, lists, text, whole numbers and booleans only. Instants are microseconds since 1970 and lengths
are microseconds, in keys that end in `_us`. What is None is left out. Reading passes over keys it does not know, so
that an older version reads what a newer one wrote, and takes the default for a key that is not there. A trace is kept
in its stored form, which leaves out steps when there are very many.
"""

from collections.abc import Mapping
from typing import TypeAlias

from cronicorn.domain.call import Method, Request, StatusRange, SuccessCriteria
from cronicorn.domain.cron import Dialect, DstGap, DstOverlap
from cronicorn.domain.endpoint import (
    UNANALYSED,
    AnalysisSwitch,
    Baseline,
    CatchUp,
    CatchUpMode,
    CompileMode,
    EndpointState,
    JobEndpoint,
    ManualSlot,
    Overlap,
    RetryPolicy,
)
from cronicorn.domain.fields import Fields, Value, lean, length_us, pairs, pairs_of, us
from cronicorn.domain.hint import Author, Hint, HintKind
from cronicorn.domain.plan import Plan, Source
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.policy.text import policy_from, policy_text
from cronicorn.domain.signals.signal import Adapt, Signal, Signals
from cronicorn.domain.steering_memory import steering_memory_document, steering_memory_of
from cronicorn.domain.trace import Trace
from cronicorn.domain.untrusted.redaction import NOTHING_SECRET, Redaction

Document: TypeAlias = dict[str, Value]


def endpoint_document(endpoint: JobEndpoint) -> Document:
    """All of *endpoint* but its state."""
    return lean({
        "id": endpoint.id,
        "tenant_id": endpoint.tenant_id,
        "job_id": endpoint.job_id,
        "name": endpoint.name,
        "description": endpoint.description,
        "request": _request_document(endpoint.request),
        "baseline": _baseline_document(endpoint.baseline),
        "interval_min_us": length_us(endpoint.interval_min),
        "interval_max_us": length_us(endpoint.interval_max),
        "catch_up": _catch_up_document(endpoint.catch_up),
        "overlap": endpoint.overlap.value,
        "retries": _retries_document(endpoint.retries),
        "success": [[allowed.low, allowed.high] for allowed in endpoint.success.statuses],
        "created_at_us": us(endpoint.created_at),
        "updated_at_us": us(endpoint.updated_at),
        "signals": _signals_document(endpoint.signals) or None,
        "policy": policy_text(endpoint.policy) if endpoint.policy is not None else None,
        "redaction": _redaction_document(endpoint.redaction) or None,
        "compile": endpoint.compile_mode.value if endpoint.compile_mode is not CompileMode.REVIEW else None,
        "analysis": _analysis_document(endpoint.analysis),
        "archived_at_us": us(endpoint.archived_at),
        "version": endpoint.version,
    })  # fmt: skip


def endpoint_of(document: Mapping[str, Value]) -> JobEndpoint:
    """The endpoint that `endpoint_document` wrote, in the state of a new one. Raises ValueError for anything else."""
    fields = Fields(document)
    return JobEndpoint(
        id=fields.text("id"),
        tenant_id=fields.text("tenant_id"),
        job_id=fields.text("job_id"),
        name=fields.text("name"),
        description=fields.text_or_none("description"),
        request=_request_of(fields.part("request")),
        baseline=_baseline_of(fields.part("baseline")),
        interval_min=fields.length_or_none("interval_min_us"),
        interval_max=fields.length_or_none("interval_max_us"),
        catch_up=_catch_up_of(fields.part("catch_up")),
        overlap=Overlap(fields.text("overlap", Overlap.SKIP)),
        retries=_retries_of(fields.part("retries")),
        success=_success_of(fields),
        signals=_signals_of(fields.part("signals")),
        policy=_policy_of(fields.text_or_none("policy")),
        redaction=_redaction_of(fields.part("redaction")),
        compile_mode=CompileMode(fields.text("compile", CompileMode.REVIEW)),
        analysis=_analysis_of(fields.part("analysis")),
        created_at=fields.instant("created_at_us"),
        updated_at=fields.instant("updated_at_us"),
        archived_at=fields.instant_or_none("archived_at_us"),
        version=fields.number("version", 1),
    )


def state_document(state: EndpointState) -> Document:
    """Where the schedule of an endpoint stands."""
    return lean({
        "slot": state.slot,
        "attempt": state.attempt,
        "slots_issued": state.slots_issued,
        "failure_count": state.failure_count or None,
        "hints": [hint_document(hint) for hint in state.hints] or None,
        "memory": steering_memory_document(state.memory),
        "suspended": state.suspended or None,
        "last_run_at_us": us(state.last_run_at),
        "spaced_from_us": us(state.spaced_from),
        "accounted_until_us": us(state.accounted_until),
        "retry_at_us": us(state.retry_at),
        "owed_at_us": us(state.owed_at),
        "owed_count": state.owed_count or None,
        "manual": _manual_document(state.manual) if state.manual is not None else None,
        "plan": plan_document(state.plan) if state.plan is not None else None,
    })  # fmt: skip


def state_of(document: Mapping[str, Value]) -> EndpointState:
    """The state that `state_document` wrote. Raises ValueError for anything else."""
    fields = Fields(document)
    manual, plan = fields.part_or_none("manual"), fields.part_or_none("plan")
    return EndpointState(
        slot=fields.number("slot", 1),
        attempt=fields.number("attempt", 1),
        slots_issued=fields.number("slots_issued", 1),
        failure_count=fields.number("failure_count", 0),
        hints=tuple(hint_of(part) for part in fields.parts("hints")),
        memory=steering_memory_of(fields.part_or_none("memory")),
        suspended=fields.flag("suspended"),
        last_run_at=fields.instant_or_none("last_run_at_us"),
        spaced_from=fields.instant_or_none("spaced_from_us"),
        accounted_until=fields.instant_or_none("accounted_until_us"),
        retry_at=fields.instant_or_none("retry_at_us"),
        owed_at=fields.instant_or_none("owed_at_us"),
        owed_count=fields.number("owed_count", 0),
        manual=_manual_of(Fields(manual)) if manual is not None else None,
        plan=plan_of(plan) if plan is not None else None,
    )


def plan_document(plan: Plan) -> Document:
    """A plan, with its trace as a code."""
    return lean({
        "next_run_at_us": us(plan.next_run_at),
        "source": plan.source.value,
        "trace": plan.trace.encode(),
        "nominal_at_us": us(plan.nominal_at),
        "is_retry": plan.is_retry or None,
    })  # fmt: skip


def plan_of(document: Mapping[str, Value]) -> Plan:
    """The plan that `plan_document` wrote. Raises ValueError for anything else."""
    fields = Fields(document)
    return Plan(
        next_run_at=fields.instant_or_none("next_run_at_us"),
        source=Source(fields.text("source")),
        trace=Trace.decode(fields.text("trace")),
        nominal_at=fields.instant_or_none("nominal_at_us"),
        is_retry=fields.flag("is_retry"),
    )


def hint_document(hint: Hint) -> Document:
    """One hint."""
    return lean({
        "kind": hint.kind.value,
        "author": hint.author.value,
        "written_at_us": us(hint.written_at),
        "expires_at_us": us(hint.expires_at),
        "interval_us": length_us(hint.interval),
        "at_us": us(hint.at),
        "reason": hint.reason,
        "priority": hint.priority,
        "key": hint.key,
    })  # fmt: skip


def hint_of(document: Mapping[str, Value]) -> Hint:
    """The hint that `hint_document` wrote. Raises ValueError for anything else."""
    fields = Fields(document)
    return Hint(
        kind=HintKind(fields.text("kind")),
        author=Author(fields.text("author")),
        written_at=fields.instant("written_at_us"),
        expires_at=fields.instant("expires_at_us"),
        interval=fields.length_or_none("interval_us"),
        at=fields.instant_or_none("at_us"),
        reason=fields.text_or_none("reason"),
        priority=fields.number("priority", 0),
        key=fields.text("key", ""),
    )


def _request_document(request: Request) -> Document:
    return lean({
        "url": request.url,
        "method": request.method.value,
        "headers": pairs(request.headers),
        "body_json": request.body_json,
        "timeout_us": length_us(request.timeout),
        "execution_max_us": length_us(request.execution_max),
        "response_kb_max": request.response_kb_max,
        "redirects_max": request.redirects_max,
    })  # fmt: skip


def _request_of(document: Mapping[str, Value]) -> Request:
    fields = Fields(document)
    url = fields.text("url")
    default = Request(url=url)
    return Request(
        url=url,
        method=Method(fields.text("method", default.method)),
        headers=pairs_of(fields.items("headers")),
        body_json=fields.text_or_none("body_json"),
        timeout=fields.length("timeout_us", default.timeout),
        execution_max=fields.length("execution_max_us", default.execution_max),
        response_kb_max=fields.number("response_kb_max", default.response_kb_max),
        redirects_max=fields.number("redirects_max", default.redirects_max),
    )


def _baseline_document(baseline: Baseline) -> Document:
    return lean({
        "cron": baseline.cron,
        "interval_us": length_us(baseline.interval),
        "once_at_us": us(baseline.once_at),
        "dormant": baseline.dormant,
        "anchor_at_us": us(baseline.anchor_at),
        "zone": baseline.zone,
        "dst_gap": baseline.dst_gap.value,
        "dst_overlap": baseline.dst_overlap.value,
        "dialect": baseline.dialect.value,
        "window_us": length_us(baseline.window),
    })  # fmt: skip


def _baseline_of(document: Mapping[str, Value]) -> Baseline:
    fields, default = Fields(document), Baseline()
    return Baseline(
        cron=fields.text_or_none("cron"),
        interval=fields.length_or_none("interval_us"),
        once_at=fields.instant_or_none("once_at_us"),
        dormant=fields.flag("dormant"),
        anchor_at=fields.instant_or_none("anchor_at_us"),
        zone=fields.text("zone", default.zone),
        dst_gap=DstGap(fields.text("dst_gap", default.dst_gap)),
        dst_overlap=DstOverlap(fields.text("dst_overlap", default.dst_overlap)),
        dialect=Dialect(fields.text("dialect", default.dialect)),
        window=fields.length("window_us", default.window),
    )


def _catch_up_document(catch_up: CatchUp) -> Document:
    return lean({
        "mode": catch_up.mode.value,
        "window_us": length_us(catch_up.window),
        "runs_max": catch_up.runs_max,
    })  # fmt: skip


def _catch_up_of(document: Mapping[str, Value]) -> CatchUp:
    fields, default = Fields(document), CatchUp()
    return CatchUp(
        mode=CatchUpMode(fields.text("mode", default.mode)),
        window=fields.length_or_none("window_us"),
        runs_max=fields.number("runs_max", default.runs_max),
    )


def _retries_document(retries: RetryPolicy) -> Document:
    return {
        "count": retries.count,
        "backoff_min_us": length_us(retries.backoff_min),
        "backoff_max_us": length_us(retries.backoff_max),
        "doublings_max": retries.doublings_max,
    }


def _retries_of(document: Mapping[str, Value]) -> RetryPolicy:
    fields, default = Fields(document), RetryPolicy()
    return RetryPolicy(
        count=fields.number("count", default.count),
        backoff_min=fields.length("backoff_min_us", default.backoff_min),
        backoff_max=fields.length("backoff_max_us", default.backoff_max),
        doublings_max=fields.number("doublings_max", default.doublings_max),
    )


def _success_of(fields: Fields) -> SuccessCriteria:
    if fields.document.get("success") is None:
        return SuccessCriteria()
    ranges = []
    for item in fields.items("success"):
        match item:
            case [int(low), int(high)]:
                ranges.append(StatusRange(low=low, high=high))
            case _:
                raise ValueError(f"not a range of statuses: {item!r}")
    return SuccessCriteria(statuses=tuple(ranges))


def _signals_document(signals: Signals) -> Document:
    return lean({
        "adapt": signals.adapt.value if signals.adapt is not Adapt.AUTO else None,
        "off": [signal.value for signal in sorted(signals.off)] or None,
        "on": [signal.value for signal in sorted(signals.on)] or None,
    })  # fmt: skip


def _signals_of(document: Mapping[str, Value]) -> Signals:
    if not document:
        return Signals()
    fields = Fields(document)
    return Signals(
        adapt=Adapt(fields.text("adapt", Adapt.AUTO)),
        off=frozenset(Signal(str(item)) for item in fields.items("off")),
        on=frozenset(Signal(str(item)) for item in fields.items("on")),
    )


def _analysis_document(analysis: AnalysisSwitch) -> Value:
    if analysis == UNANALYSED:
        return None
    return {"enabled": analysis.enabled, "cooldown_us": length_us(analysis.cooldown)}


def _analysis_of(document: Mapping[str, Value]) -> AnalysisSwitch:
    default = UNANALYSED
    if not document:
        return default
    fields = Fields(document)
    return AnalysisSwitch(
        enabled=fields.flag("enabled", default=default.enabled),
        cooldown=fields.length("cooldown_us", default.cooldown),
    )


def _policy_of(text: str | None) -> Policy | None:
    return policy_from(text) if text is not None else None


def _redaction_document(redaction: Redaction) -> Document:
    return lean({"body": list(redaction.body) or None, "headers": list(redaction.headers) or None})


def _redaction_of(document: Mapping[str, Value]) -> Redaction:
    if not document:
        return NOTHING_SECRET
    fields = Fields(document)
    return Redaction(body=fields.texts("body"), headers=fields.texts("headers"))


def _manual_document(manual: ManualSlot) -> Document:
    return {"slot": manual.slot, "requested_at_us": us(manual.requested_at)}


def _manual_of(fields: Fields) -> ManualSlot:
    return ManualSlot(slot=fields.number("slot"), requested_at=fields.instant("requested_at_us"))
