"""The parts of the document of an endpoint (`cronicorn.domain.document`). What is as usual is left out."""

from collections.abc import Mapping
from typing import Required, TypedDict

from cronicorn.domain.auth_document import auth_document, auth_of
from cronicorn.domain.call import SUCCESS_DEFAULT, Method, Request, StatusRange, SuccessCriteria
from cronicorn.domain.cron import Dialect, DstGap, DstOverlap
from cronicorn.domain.endpoint import (
    CATCH_UP_DEFAULT,
    NO_RETRIES,
    UNANALYSED,
    AnalysisSwitch,
    Baseline,
    CatchUp,
    CatchUpMode,
    RetryPolicy,
)
from cronicorn.domain.fields import Document, Fields, Shape, Value, lean, length_us, pairs, pairs_of, unusual, us
from cronicorn.domain.flow.limits import PERIOD_DEFAULT, Flow, FlowLimits, HeldBack
from cronicorn.domain.instant import instant_of, length_of
from cronicorn.domain.signals.signal import Adapt, Signal, Signals
from cronicorn.domain.untrusted.redaction import Redaction


def request_document(request: Request) -> Document:
    usual = _REQUEST_USUAL
    return lean({
        "url": request.url,
        "method": unusual(request.method.value, usual.method.value),
        "headers": pairs(request.headers) if request.headers else None,
        "body_json": request.body_json,
        "timeout_us": length_us(unusual(request.timeout, usual.timeout)),
        "execution_max_us": length_us(unusual(request.execution_max, usual.execution_max)),
        "response_kb_max": unusual(request.response_kb_max, usual.response_kb_max),
        "redirects_max": unusual(request.redirects_max, usual.redirects_max),
        "auth": auth_document(request.auth),
    })  # fmt: skip


class _Request(TypedDict, total=False):
    url: Required[str]
    method: str
    headers: list[Value]
    body_json: str
    timeout_us: int
    execution_max_us: int
    response_kb_max: int
    redirects_max: int
    auth: Document


_REQUEST = Shape(_Request)
_REQUEST_USUAL = Request(url="")


def request_of(document: Mapping[str, Value]) -> Request:
    part, usual = _REQUEST.read(document), _REQUEST_USUAL
    return Request(
        url=part["url"],
        method=Method(part["method"]) if "method" in part else usual.method,
        headers=pairs_of(part["headers"]) if "headers" in part else (),
        body_json=part.get("body_json"),
        timeout=length_of(part["timeout_us"]) if "timeout_us" in part else usual.timeout,
        execution_max=length_of(part["execution_max_us"]) if "execution_max_us" in part else usual.execution_max,
        response_kb_max=part.get("response_kb_max", usual.response_kb_max),
        redirects_max=part.get("redirects_max", usual.redirects_max),
        auth=auth_of(part["auth"]) if "auth" in part else None,
    )


def baseline_document(baseline: Baseline) -> Document:
    usual = _BASELINE_USUAL
    return lean({
        "cron": baseline.cron,
        "interval_us": length_us(baseline.interval),
        "once_at_us": us(baseline.once_at),
        "dormant": unusual(baseline.dormant, usual.dormant),
        "anchor_at_us": us(baseline.anchor_at),
        "zone": unusual(baseline.zone, usual.zone),
        "dst_gap": unusual(baseline.dst_gap.value, usual.dst_gap.value),
        "dst_overlap": unusual(baseline.dst_overlap.value, usual.dst_overlap.value),
        "dialect": unusual(baseline.dialect.value, usual.dialect.value),
        "window_us": length_us(unusual(baseline.window, usual.window)),
    })  # fmt: skip


class _Baseline(TypedDict, total=False):
    cron: str
    interval_us: int
    once_at_us: int
    dormant: bool
    anchor_at_us: int
    zone: str
    dst_gap: str
    dst_overlap: str
    dialect: str
    window_us: int


_BASELINE = Shape(_Baseline)
_BASELINE_USUAL = Baseline()


def baseline_of(document: Mapping[str, Value]) -> Baseline:
    part, usual = _BASELINE.read(document), _BASELINE_USUAL
    return Baseline(
        cron=part.get("cron"),
        interval=length_of(part["interval_us"]) if "interval_us" in part else None,
        once_at=instant_of(part["once_at_us"]) if "once_at_us" in part else None,
        dormant=part.get("dormant", False),
        anchor_at=instant_of(part["anchor_at_us"]) if "anchor_at_us" in part else None,
        zone=part.get("zone", usual.zone),
        dst_gap=DstGap(part["dst_gap"]) if "dst_gap" in part else usual.dst_gap,
        dst_overlap=DstOverlap(part["dst_overlap"]) if "dst_overlap" in part else usual.dst_overlap,
        dialect=Dialect(part["dialect"]) if "dialect" in part else usual.dialect,
        window=length_of(part["window_us"]) if "window_us" in part else usual.window,
    )


def catch_up_document(catch_up: CatchUp) -> Document | None:
    return None if catch_up == CATCH_UP_DEFAULT else lean({
        "mode": catch_up.mode.value,
        "window_us": length_us(catch_up.window),
        "runs_max": catch_up.runs_max,
    })  # fmt: skip


def catch_up_of(document: Mapping[str, Value]) -> CatchUp:
    fields, default = Fields(document), CATCH_UP_DEFAULT
    return CatchUp(
        mode=CatchUpMode(fields.text("mode", default.mode)),
        window=fields.length_or_none("window_us"),
        runs_max=fields.number("runs_max", default.runs_max),
    )


def retries_document(retries: RetryPolicy) -> Document | None:
    return (
        None
        if retries == NO_RETRIES
        else {
            "count": retries.count,
            "backoff_min_us": length_us(retries.backoff_min),
            "backoff_max_us": length_us(retries.backoff_max),
            "doublings_max": retries.doublings_max,
        }
    )


def retries_of(document: Mapping[str, Value]) -> RetryPolicy:
    fields, default = Fields(document), NO_RETRIES
    return RetryPolicy(
        count=fields.number("count", default.count),
        backoff_min=fields.length("backoff_min_us", default.backoff_min),
        backoff_max=fields.length("backoff_max_us", default.backoff_max),
        doublings_max=fields.number("doublings_max", default.doublings_max),
    )


def success_document(success: SuccessCriteria) -> Value:
    return None if success == SUCCESS_DEFAULT else [[allowed.low, allowed.high] for allowed in success.statuses]


def success_of(items: list[Value]) -> SuccessCriteria:
    ranges = []
    for item in items:
        match item:
            case [int(low), int(high)]:
                ranges.append(StatusRange(low=low, high=high))
            case _:
                raise ValueError(f"not a range of statuses: {item!r}")
    return SuccessCriteria(statuses=tuple(ranges))


def signals_document(signals: Signals) -> Document:
    return lean({
        "adapt": unusual(signals.adapt.value, Adapt.AUTO.value),
        "off": [signal.value for signal in sorted(signals.off)] or None,
        "on": [signal.value for signal in sorted(signals.on)] or None,
    })  # fmt: skip


def signals_of(document: Mapping[str, Value]) -> Signals:
    fields = Fields(document)
    return Signals(
        adapt=Adapt(fields.text("adapt", Adapt.AUTO)),
        off=frozenset(Signal(str(item)) for item in fields.items("off")),
        on=frozenset(Signal(str(item)) for item in fields.items("on")),
    )


def analysis_document(analysis: AnalysisSwitch) -> Document | None:
    return (
        None if analysis == UNANALYSED else {"enabled": analysis.enabled, "cooldown_us": length_us(analysis.cooldown)}
    )


def analysis_of(document: Mapping[str, Value]) -> AnalysisSwitch:
    fields, default = Fields(document), UNANALYSED
    return AnalysisSwitch(
        enabled=fields.flag("enabled", default=default.enabled),
        cooldown=fields.length("cooldown_us", default.cooldown),
    )


def flow_document(flow: Flow | None) -> Document | None:
    if flow is None:
        return None
    limits = flow.limits
    return lean({
        "key": flow.key,
        "rate": limits.rate,
        "period_us": length_us(unusual(limits.period, PERIOD_DEFAULT)),
        "parallelism": limits.parallelism,
    })  # fmt: skip


def flow_of(document: Mapping[str, Value]) -> Flow:
    fields = Fields(document)
    limits = FlowLimits(
        rate=fields.number_or_none("rate"),
        period=fields.length("period_us", PERIOD_DEFAULT),
        parallelism=fields.number_or_none("parallelism"),
    )
    return Flow(limits=limits, key=fields.text_or_none("key"))


def held_document(held: HeldBack) -> Document:
    return lean({"until_us": us(held.until), "reason": held.reason, "turn_us": us(held.turn_at)})


def held_of(document: Mapping[str, Value]) -> HeldBack:
    fields = Fields(document)
    return HeldBack(
        until=fields.instant("until_us"), reason=fields.text("reason"), turn_at=fields.instant_or_none("turn_us")
    )


def redaction_document(redaction: Redaction) -> Document:
    return lean({"body": list(redaction.body) or None, "headers": list(redaction.headers) or None})


def redaction_of(document: Mapping[str, Value]) -> Redaction:
    fields = Fields(document)
    return Redaction(body=fields.texts("body"), headers=fields.texts("headers"))
