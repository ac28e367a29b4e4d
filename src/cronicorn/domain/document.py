"""Documents: plain JSON for what stores keep of an endpoint, exact in both directions.

A document holds objects, lists, text, whole numbers and booleans only. Instants are microseconds since 1970 and lengths
are microseconds, in keys that end in `_us`. What is None is left out, and so is what an endpoint has by default: a
default is part of what is stored, so it can't be changed. Reading passes over keys it does not know, so that an older
version reads what a newer one wrote, and takes the default for a key that is not there. A trace is kept in its stored
form, which leaves out steps when there are very many.
"""

from collections.abc import Mapping
from typing import Required, TypedDict

from cronicorn.domain.call import SUCCESS_DEFAULT
from cronicorn.domain.criteria.reading import criteria_from, criteria_text
from cronicorn.domain.endpoint import (
    BEGINNING,
    CATCH_UP_DEFAULT,
    NO_RETRIES,
    UNANALYSED,
    CompileMode,
    EndpointState,
    JobEndpoint,
    KeepBodies,
    ManualSlot,
    Overlap,
)
from cronicorn.domain.endpoint_parts import (
    analysis_document,
    analysis_of,
    baseline_document,
    baseline_of,
    catch_up_document,
    catch_up_of,
    flow_document,
    flow_of,
    held_document,
    held_of,
    redaction_document,
    redaction_of,
    request_document,
    request_of,
    retries_document,
    retries_of,
    signals_document,
    signals_of,
    success_document,
    success_of,
)
from cronicorn.domain.fields import Document, Fields, Shape, Value, json_text, lean, length_us, unusual, us
from cronicorn.domain.hint import Author, Hint, HintKind
from cronicorn.domain.instant import instant_of, length_of, microseconds_of
from cronicorn.domain.plan import Plan, Source
from cronicorn.domain.policy.text import policy_from, policy_text
from cronicorn.domain.signals.signal import DEFAULT as SIGNALS_DEFAULT
from cronicorn.domain.steering_memory import NO_MEMORY, steering_memory_document, steering_memory_of
from cronicorn.domain.trace import Trace
from cronicorn.domain.untrusted.redaction import NOTHING_SECRET


def endpoint_document(endpoint: JobEndpoint) -> Document:
    """All of *endpoint* but its state."""
    return lean({
        "id": endpoint.id,
        "tenant_id": endpoint.tenant_id,
        "job_id": endpoint.job_id,
        "name": endpoint.name,
        "description": endpoint.description,
        "request": request_document(endpoint.request),
        "baseline": baseline_document(endpoint.baseline),
        "interval_min_us": length_us(endpoint.interval_min),
        "interval_max_us": length_us(endpoint.interval_max),
        "catch_up": catch_up_document(endpoint.catch_up),
        "overlap": unusual(endpoint.overlap.value, Overlap.SKIP.value),
        "retries": retries_document(endpoint.retries),
        "success": success_document(endpoint.success),
        "criteria": criteria_text(endpoint.criteria) if endpoint.criteria is not None else None,
        "created_at_us": us(endpoint.created_at),
        "updated_at_us": us(endpoint.updated_at),
        "signals": signals_document(endpoint.signals) or None,
        "policy": policy_text(endpoint.policy) if endpoint.policy is not None else None,
        "flow": flow_document(endpoint.flow),
        "bodies": unusual(endpoint.keep_bodies.value, KeepBodies.ALL.value),
        "redaction": redaction_document(endpoint.redaction) or None,
        "compile": unusual(endpoint.compile_mode.value, CompileMode.REVIEW.value),
        "analysis": analysis_document(endpoint.analysis),
        "archived_at_us": us(endpoint.archived_at),
        "version": unusual(endpoint.version, 1),
    })  # fmt: skip


class _Endpoint(TypedDict, total=False):
    id: Required[str]
    tenant_id: Required[str]
    job_id: Required[str]
    name: Required[str]
    description: str
    request: Required[Document]
    baseline: Document
    interval_min_us: int
    interval_max_us: int
    catch_up: Document
    overlap: str
    retries: Document
    success: list[Value]
    criteria: str
    created_at_us: Required[int]
    updated_at_us: Required[int]
    signals: Document
    policy: str
    flow: Document
    bodies: str
    redaction: Document
    compile: str
    analysis: Document
    archived_at_us: int
    version: int


_ENDPOINT = Shape(_Endpoint)


def endpoint_of(document: Mapping[str, Value], state: EndpointState = BEGINNING) -> JobEndpoint:
    """The endpoint that `endpoint_document` wrote, in *state*. Raises ValueError for anything else."""
    part = _ENDPOINT.read(document)
    return JobEndpoint(
        id=part["id"],
        tenant_id=part["tenant_id"],
        job_id=part["job_id"],
        name=part["name"],
        description=part.get("description"),
        request=request_of(part["request"]),
        baseline=baseline_of(part.get("baseline", {})),
        interval_min=length_of(part["interval_min_us"]) if "interval_min_us" in part else None,
        interval_max=length_of(part["interval_max_us"]) if "interval_max_us" in part else None,
        catch_up=catch_up_of(part["catch_up"]) if "catch_up" in part else CATCH_UP_DEFAULT,
        overlap=Overlap(part["overlap"]) if "overlap" in part else Overlap.SKIP,
        retries=retries_of(part["retries"]) if "retries" in part else NO_RETRIES,
        success=success_of(part["success"]) if "success" in part else SUCCESS_DEFAULT,
        criteria=criteria_from(part["criteria"]) if "criteria" in part else None,
        signals=signals_of(part["signals"]) if "signals" in part else SIGNALS_DEFAULT,
        policy=policy_from(part["policy"]) if "policy" in part else None,
        flow=flow_of(part["flow"]) if "flow" in part else None,
        keep_bodies=KeepBodies(part["bodies"]) if "bodies" in part else KeepBodies.ALL,
        redaction=redaction_of(part["redaction"]) if "redaction" in part else NOTHING_SECRET,
        compile_mode=CompileMode(part["compile"]) if "compile" in part else CompileMode.REVIEW,
        analysis=analysis_of(part["analysis"]) if "analysis" in part else UNANALYSED,
        created_at=instant_of(part["created_at_us"]),
        updated_at=instant_of(part["updated_at_us"]),
        archived_at=instant_of(part["archived_at_us"]) if "archived_at_us" in part else None,
        version=part.get("version", 1),
        state=state,
    )


def state_text(state: EndpointState) -> str:
    """Where the schedule of an endpoint stands, as JSON: written out, at half the cost of an encoder."""
    text = f'{{"slot":{state.slot}'
    if state.attempt != 1:
        text += f',"attempt":{state.attempt}'
    if state.slots_issued != 1:
        text += f',"slots_issued":{state.slots_issued}'
    if state.failure_count:
        text += f',"failure_count":{state.failure_count}'
    if state.hints:
        text += f',"hints":{json_text([hint_document(hint) for hint in state.hints])}'
    memory = steering_memory_document(state.memory)
    if memory is not None:
        text += f',"memory":{json_text(memory)}'
    if state.suspended:
        text += ',"suspended":true'
    if state.last_run_at is not None:
        text += f',"last_run_at_us":{microseconds_of(state.last_run_at)}'
    if state.spaced_from is not None:
        text += f',"spaced_from_us":{microseconds_of(state.spaced_from)}'
    if state.accounted_until is not None:
        text += f',"accounted_until_us":{microseconds_of(state.accounted_until)}'
    return f"{text}{_owed_text(state)}}}"


def _owed_text(state: EndpointState) -> str:
    """What is to be run: what is owed, asked for and planned."""
    text = ""
    if state.retry_at is not None:
        text += f',"retry_at_us":{microseconds_of(state.retry_at)}'
    if state.owed_at is not None:
        text += f',"owed_at_us":{microseconds_of(state.owed_at)}'
    if state.owed_count:
        text += f',"owed_count":{state.owed_count}'
    manual, plan = state.manual, state.plan
    if manual is not None:
        text += f',"manual":{{"slot":{manual.slot},"requested_at_us":{microseconds_of(manual.requested_at)}}}'
    if state.body_mark is not None:
        text += f',"body_mark":"{state.body_mark}"'
    if state.held is not None:
        text += f',"held":{json_text(held_document(state.held))}'
    return text if plan is None else f'{text},"plan":{_plan_text(plan)}'


def _plan_text(plan: Plan) -> str:
    """A plan, with its trace as a code."""
    at = "" if plan.next_run_at is None else f'"next_run_at_us":{microseconds_of(plan.next_run_at)},'
    nominal_at = "" if plan.nominal_at is None else f',"nominal_at_us":{microseconds_of(plan.nominal_at)}'
    is_retry = ',"is_retry":true' if plan.is_retry else ""
    return f'{{{at}"source":"{plan.source}","trace":"{plan.trace.encode()}"{nominal_at}{is_retry}}}'


class _State(TypedDict, total=False):
    slot: int
    attempt: int
    slots_issued: int
    failure_count: int
    hints: list[Value]
    memory: Document
    suspended: bool
    last_run_at_us: int
    spaced_from_us: int
    accounted_until_us: int
    retry_at_us: int
    owed_at_us: int
    owed_count: int
    manual: Document
    plan: Document
    body_mark: str
    held: Document


_STATE = Shape(_State)


def state_of(document: Mapping[str, Value]) -> EndpointState:
    """The state that `state_text` wrote. Raises ValueError for anything else."""
    part = _STATE.read(document)
    return EndpointState(
        slot=part.get("slot", 1),
        attempt=part.get("attempt", 1),
        slots_issued=part.get("slots_issued", 1),
        failure_count=part.get("failure_count", 0),
        hints=tuple(map(_hint_in, part["hints"])) if "hints" in part else (),
        memory=steering_memory_of(part["memory"]) if "memory" in part else NO_MEMORY,
        suspended=part.get("suspended", False),
        last_run_at=instant_of(part["last_run_at_us"]) if "last_run_at_us" in part else None,
        spaced_from=instant_of(part["spaced_from_us"]) if "spaced_from_us" in part else None,
        accounted_until=instant_of(part["accounted_until_us"]) if "accounted_until_us" in part else None,
        retry_at=instant_of(part["retry_at_us"]) if "retry_at_us" in part else None,
        owed_at=instant_of(part["owed_at_us"]) if "owed_at_us" in part else None,
        owed_count=part.get("owed_count", 0),
        manual=_manual_of(part["manual"]) if "manual" in part else None,
        plan=_plan_of(part["plan"]) if "plan" in part else None,
        body_mark=part.get("body_mark"),
        held=held_of(part["held"]) if "held" in part else None,
    )


class _Plan(TypedDict, total=False):
    next_run_at_us: int
    source: Required[str]
    trace: Required[str]
    nominal_at_us: int
    is_retry: bool


_PLAN = Shape(_Plan)
_SOURCES: Mapping[str, Source] = {source: source for source in Source}


def _plan_of(document: Mapping[str, Value]) -> Plan:
    part = _PLAN.read(document)
    return Plan(
        instant_of(part["next_run_at_us"]) if "next_run_at_us" in part else None,
        _SOURCES.get(part["source"]) or Source(part["source"]),
        Trace.decode(part["trace"]),
        instant_of(part["nominal_at_us"]) if "nominal_at_us" in part else None,
        is_retry=part.get("is_retry", False),
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


class _Hint(TypedDict, total=False):
    kind: Required[str]
    author: Required[str]
    written_at_us: Required[int]
    expires_at_us: Required[int]
    interval_us: int
    at_us: int
    reason: str
    priority: int
    key: str


_HINT = Shape(_Hint)


def hint_of(document: Mapping[str, Value]) -> Hint:
    """The hint that `hint_document` wrote. Raises ValueError for anything else."""
    part = _HINT.read(document)
    return Hint(
        kind=HintKind(part["kind"]),
        author=Author(part["author"]),
        written_at=instant_of(part["written_at_us"]),
        expires_at=instant_of(part["expires_at_us"]),
        interval=length_of(part["interval_us"]) if "interval_us" in part else None,
        at=instant_of(part["at_us"]) if "at_us" in part else None,
        reason=part.get("reason"),
        priority=part.get("priority", 0),
        key=part.get("key", ""),
    )


def _hint_in(item: Value) -> Hint:
    if not isinstance(item, dict):
        raise ValueError(f"hints holds {item!r}, not an object")  # noqa: TRY004
    return hint_of(item)


def _manual_of(document: Mapping[str, Value]) -> ManualSlot:
    fields = Fields(document)
    return ManualSlot(slot=fields.number("slot"), requested_at=fields.instant("requested_at_us"))
