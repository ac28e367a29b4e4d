"""From a document to an endpoint: what a patch makes of an endpoint, with every unusable value reported.

Absent fields stay as they are, null takes a field back to its default, and one kind of baseline replaces another.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from cronicorn.control.auth_drafting import auth_drafted
from cronicorn.control.document import CatchUpPatch, Document, EndpointPatch, RetriesPatch
from cronicorn.control.findings import Findings
from cronicorn.control.limits import check_limits
from cronicorn.control.payload import json_text
from cronicorn.domain.auth import Auth
from cronicorn.domain.call import Request, StatusRange, SuccessCriteria
from cronicorn.domain.criteria.criteria import AnswerCriteria
from cronicorn.domain.criteria.reading import criteria_of
from cronicorn.domain.endpoint import (
    AnalysisSwitch,
    Baseline,
    BaselineKind,
    CatchUp,
    CompileMode,
    JobEndpoint,
    KeepBodies,
    Overlap,
    RetryPolicy,
)
from cronicorn.domain.flow.limits import PERIOD_DEFAULT, Flow, FlowLimits
from cronicorn.domain.instant import MILLISECOND, ZERO, whole_millisecond
from cronicorn.domain.masking import unmasked
from cronicorn.domain.outgoing import HEADER_NAME
from cronicorn.domain.policy.document_part import PolicyError
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.signals.signal import ON_BY_DEFAULT, Adapt, Signals
from cronicorn.domain.untrusted.redaction import NOTHING_SECRET, Redaction

_KINDS = ("baseline_cron", "baseline_interval_ms", "once_at", "dormant")
_POINTER = re.compile(r"(?:/(?:[^/~\x00-\x1f\ud800-\udfff]|~[01])*)*")
_POINTER_MAX = 200
_STATUSES = re.compile(r"([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?", re.ASCII)

T = TypeVar("T")


def blank(tenant_id: str, job_id: str, endpoint_id: str, now: datetime) -> JobEndpoint:
    """An endpoint of which nothing is known yet: what a document for a new one is drafted on."""
    return JobEndpoint(
        id=endpoint_id, tenant_id=tenant_id, job_id=job_id, name="", request=Request(url=""), baseline=Baseline(),
        created_at=now, updated_at=now,
    )  # fmt: skip


def drafted(before: JobEndpoint, patch: EndpointPatch, now: datetime, findings: Findings) -> JobEndpoint:
    """*before* with all that *patch* changes at *now*. Values that can't be used are reported and left out."""
    check_limits(patch, findings)
    fields = _Fields(patch, findings)
    return replace(
        before,
        name=fields.value("name", before.name, ""),
        description=fields.value("description", before.description, None),
        request=_request(fields, patch, before.request),
        baseline=_baseline(fields, patch, before.baseline, now),
        interval_min=fields.length("min_interval_ms", before.interval_min, None),
        interval_max=fields.length("max_interval_ms", before.interval_max, None),
        catch_up=_catch_up(patch, before.catch_up, findings),
        overlap=fields.value("overlap", before.overlap, Overlap.SKIP),
        retries=_retries(patch, before.retries, findings),
        success=_success(fields, patch, before.success),
        criteria=_criteria(fields, patch, before.criteria),
        signals=_signals(fields, patch, before.signals),
        policy=_policy(fields, patch, before.policy),
        flow=_flow(patch, before.flow, findings),
        keep_bodies=fields.value("keep_bodies", before.keep_bodies, KeepBodies.ALL),
        redaction=_redaction(patch, before.redaction, findings),
        compile_mode=fields.value("compile", before.compile_mode, CompileMode.REVIEW),
        analysis=AnalysisSwitch(
            enabled=fields.value("analysis", before.analysis.enabled, False),  # noqa: FBT003 - the default
            cooldown=fields.length("analysis_cooldown_ms", before.analysis.cooldown, AnalysisSwitch().cooldown),
        ),
    )


class _Fields:
    """The fields of one document: what it gives and can be used, else what is stored."""

    def __init__(self, document: Document, findings: Findings) -> None:
        self.document = document
        self.findings = findings

    def given(self, name: str) -> bool:
        return name in self.document.model_fields_set and not self.findings.found(self.pointer(name))

    def value(self, name: str, stored: T, default: T) -> T:
        """The value given for *name*, *default* for null, else *stored*."""
        if not self.given(name):
            return stored
        value: T | None = getattr(self.document, name)
        return default if value is None else value

    def length(self, name: str, stored: T, default: T) -> timedelta | T:
        """As `value`, for milliseconds."""
        number = getattr(self.document, name) if self.given(name) else None
        return self.value(name, stored, default) if number is None else number * MILLISECOND

    def refuse(self, name: str, message: str) -> None:
        self.findings.refuse(self.pointer(name), message)

    def pointer(self, name: str) -> str:
        return f"/{type(self.document).model_fields[name].alias}"


def _request(fields: _Fields, patch: EndpointPatch, before: Request) -> Request:
    default = Request(url="")
    headers = before.headers
    if fields.given("headers_json"):
        headers = unmasked((patch.headers_json or {}).items(), before.headers)
    return Request(
        url=fields.value("url", before.url, ""),
        method=fields.value("method", before.method, default.method),
        headers=headers,
        body_json=_body(fields, patch, before),
        timeout=fields.length("timeout_ms", before.timeout, default.timeout),
        execution_max=fields.length("max_execution_time_ms", before.execution_max, default.execution_max),
        response_kb_max=fields.value("max_response_size_kb", before.response_kb_max, default.response_kb_max),
        redirects_max=fields.value("redirects_max", before.redirects_max, default.redirects_max),
        auth=_auth(fields, patch, before.auth),
    )


def _auth(fields: _Fields, patch: EndpointPatch, before: Auth | None) -> Auth | None:
    if "auth" not in patch.model_fields_set:
        return before
    return None if patch.auth is None else auth_drafted(patch.auth, before, fields.findings.inside("/auth"))


def _body(fields: _Fields, patch: EndpointPatch, before: Request) -> str | None:
    if patch.body_json is None:
        return fields.value("body_json", before.body_json, None)
    try:
        return json_text(patch.body_json)
    except ValueError as error:
        fields.refuse("body_json", str(error))
        return before.body_json


def _baseline(fields: _Fields, patch: EndpointPatch, before: Baseline, now: datetime) -> Baseline:
    given = [name for name in _KINDS if getattr(patch, name) not in {None, False}]
    for name in given[1:]:
        fields.refuse(name, f"Contradicts {fields.pointer(given[0])[1:]}: give only one kind of baseline.")
    stored = Baseline() if given else before
    default = Baseline()
    baseline = Baseline(
        cron=fields.value("baseline_cron", stored.cron, None),
        interval=fields.length("baseline_interval_ms", stored.interval, None),
        once_at=fields.value("once_at", stored.once_at, None),
        dormant=fields.value("dormant", stored.dormant, default.dormant),
        zone=fields.value("timezone", before.zone, default.zone),
        dst_gap=fields.value("dst_gap", before.dst_gap, default.dst_gap),
        dst_overlap=fields.value("dst_overlap", before.dst_overlap, default.dst_overlap),
        dialect=before.dialect,
        window=fields.length("window_ms", before.window, ZERO),
    )
    return replace(baseline, anchor_at=_anchor(fields, patch, before, baseline, now))


def _anchor(fields: _Fields, patch: EndpointPatch, before: Baseline, after: Baseline, now: datetime) -> datetime | None:
    """The phase of an interval: as given, else now when the interval is new or the anchor is cleared."""
    if after.kind is not BaselineKind.INTERVAL:
        if patch.anchor_at is not None:
            fields.findings.warn("/anchorAt", "Only an interval has a phase; this is left out.")
        return None
    if patch.anchor_at is not None:
        return patch.anchor_at
    if before.kind is after.kind and before.interval == after.interval and not fields.given("anchor_at"):
        return before.anchor_at
    return whole_millisecond(now)


def _signals(fields: _Fields, patch: EndpointPatch, before: Signals) -> Signals:
    adapt = fields.value("adapt", before.adapt, Adapt.AUTO)
    if not fields.given("signals"):
        return replace(before, adapt=adapt)
    given = patch.signals or {}
    return Signals(
        adapt=adapt,
        off=frozenset(signal for signal, wanted in given.items() if not wanted and signal in ON_BY_DEFAULT),
        on=frozenset(signal for signal, wanted in given.items() if wanted and signal not in ON_BY_DEFAULT),
    )


def _policy(fields: _Fields, patch: EndpointPatch, before: Policy | None) -> Policy | None:
    if not fields.given("policy"):
        return before
    return _read(fields, "policy", patch.policy, policy_of, before)


def _criteria(fields: _Fields, patch: EndpointPatch, before: AnswerCriteria | None) -> AnswerCriteria | None:
    if not fields.given("criteria"):
        return before
    return _read(fields, "criteria", patch.criteria, criteria_of, before)


def _read(
    fields: _Fields, name: str, document: dict[str, Any] | None, read: Callable[[dict[str, Any]], T], before: T | None
) -> T | None:
    """What *read* makes of *document*; its faults are reported where they stand."""
    if document is None:
        return None
    try:
        json_text(document)
        return read(document)
    except PolicyError as error:
        findings = fields.findings.inside(fields.pointer(name))
        for problem in error.problems:
            findings.refuse(problem.pointer, problem.problem)
    except ValueError as error:
        fields.refuse(name, str(error))
    return before


def _flow(patch: EndpointPatch, before: Flow | None, findings: Findings) -> Flow | None:
    """The flow, as a whole: of another one nothing stays."""
    if "flow" not in patch.model_fields_set:
        return before
    if patch.flow is None:
        return None
    inside = findings.inside("/flow")
    fields = _Fields(patch.flow, inside)
    if patch.flow.rate is None and patch.flow.parallelism is None:
        inside.refuse("", "Give a rate (calls in each period), a parallelism (calls in progress at once), or both.")
    if patch.flow.period_ms is not None and patch.flow.rate is None:
        inside.refuse("/periodMs", "A period says in what time a rate may begin: give a rate, too, or leave it out.")
    rate = patch.flow.rate if fields.given("rate") else None
    parallelism = patch.flow.parallelism if fields.given("parallelism") else None
    if rate is None and parallelism is None:
        return before
    limits = FlowLimits(
        rate=rate, parallelism=parallelism, period=fields.length("period_ms", PERIOD_DEFAULT, PERIOD_DEFAULT)
    )
    return Flow(limits=limits, key=patch.flow.key if fields.given("key") else None)


def _redaction(patch: EndpointPatch, before: Redaction, findings: Findings) -> Redaction:
    if "redact" not in patch.model_fields_set:
        return before
    if patch.redact is None:
        return NOTHING_SECRET
    inside = findings.inside("/redact")
    fields = _Fields(patch.redact, inside)
    body, headers = fields.value("body", list(before.body), []), fields.value("headers", list(before.headers), [])
    for number, pointer in enumerate(body):
        if len(pointer) > _POINTER_MAX or not _POINTER.fullmatch(pointer):
            inside.refuse(f"/body/{number}", "Must be a JSON Pointer such as /user/email, with * for any member.")
    for number, name in enumerate(headers):
        if len(name) > _POINTER_MAX or not HEADER_NAME.fullmatch(name):
            inside.refuse(f"/headers/{number}", "Must be the name of a header, such as Set-Cookie.")
    return Redaction(body=tuple(body), headers=tuple(name.lower() for name in headers))


def _catch_up(patch: EndpointPatch, before: CatchUp, findings: Findings) -> CatchUp:
    if "catch_up" not in patch.model_fields_set:
        return before
    default = CatchUp()
    before = before if patch.catch_up is not None else default
    fields = _Fields(patch.catch_up or CatchUpPatch(), findings.inside("/catchUp"))
    return CatchUp(
        mode=fields.value("mode", before.mode, default.mode),
        window=fields.length("window_ms", before.window, None),
        runs_max=fields.value("max_runs", before.runs_max, default.runs_max),
    )


def _retries(patch: EndpointPatch, before: RetryPolicy, findings: Findings) -> RetryPolicy:
    if "retries" not in patch.model_fields_set:
        return before
    default = RetryPolicy()
    before = before if patch.retries is not None else default
    fields = _Fields(patch.retries or RetriesPatch(), findings.inside("/retries"))
    return RetryPolicy(
        count=fields.value("retry_count", before.count, default.count),
        backoff_min=fields.length("min_backoff_ms", before.backoff_min, default.backoff_min),
        backoff_max=fields.length("max_backoff_ms", before.backoff_max, default.backoff_max),
        doublings_max=fields.value("max_doublings", before.doublings_max, default.doublings_max),
    )


def _success(fields: _Fields, patch: EndpointPatch, before: SuccessCriteria) -> SuccessCriteria:
    if not fields.given("success_statuses"):
        return before
    if patch.success_statuses is None:
        return SuccessCriteria()
    inside = fields.findings.inside("/successStatuses")
    ranges = [_status_range(text, f"/{place}", inside) for place, text in enumerate(patch.success_statuses)]
    return SuccessCriteria(statuses=tuple(found for found in ranges if found is not None))


def _status_range(text: str, pointer: str, findings: Findings) -> StatusRange | None:
    match = _STATUSES.fullmatch(text)
    low, high = (0, 0) if match is None else (int(match[1]), int(match[2] or match[1]))
    if not low or low > high:
        findings.refuse(pointer, 'Must be a status or a range of statuses from low to high, such as "200-299".')
        return None
    return StatusRange(low=low, high=high)
