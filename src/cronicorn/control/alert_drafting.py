"""From documents to rules, routes and maintenance windows, with every unusable value reported."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from cronicorn.control.alert_documents import AlertRoutePatch, AlertRulesDocument, AllRulesDocument, MaintenanceDocument
from cronicorn.control.findings import Findings
from cronicorn.control.limits import check_limits
from cronicorn.domain.alert.alerting import (
    USUAL_RULES,
    AlertChannel,
    AlertRoute,
    AlertRules,
    AlertScope,
    FailureShare,
    MaintenanceWindow,
    RulesException,
)
from cronicorn.domain.alert.targets import LEFT_OUT, shown_target, shown_url
from cronicorn.domain.cron import CronSchedule
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.instant import MILLISECOND
from cronicorn.domain.ports import Cron
from cronicorn.domain.target import parse_target

RECIPIENTS_MAX = 10
# What RFC 5321 (4.1.2) allows without quotes, in ASCII.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.?){1,20}", re.ASCII)


def rules_drafted(document: AlertRulesDocument, findings: Findings) -> AlertRules:
    """What *document* says over what is usual; as usual where it is refused."""
    check_limits(document, findings)
    share = document.share
    if share is not None and share.failures > share.runs:
        findings.refuse("/share/failures", "Must not be more than the runs.")
    if findings.errors:
        return USUAL_RULES
    late = document.late_after_ms
    return AlertRules(
        failures=document.failures or USUAL_RULES.failures,
        share=FailureShare(failures=share.failures, runs=share.runs) if share is not None else None,
        successes=document.successes or USUAL_RULES.successes,
        late_after=late * MILLISECOND if late is not None else USUAL_RULES.late_after,
        pause_after=document.pause_after,
        near_percent=document.near_percent or USUAL_RULES.near_percent,
    )


def exceptions_drafted(document: AllRulesDocument, findings: Findings) -> tuple[RulesException, ...]:
    """Those of *document*."""
    check_limits(document, findings)
    exceptions = []
    for place, each in enumerate(document.exceptions or ()):
        inside = findings.inside(f"/exceptions/{place}")
        check_limits(each, inside)
        scope = scope_drafted(each.job_ids, each.endpoint_ids)
        if scope == AlertScope():
            inside.refuse("", "Name jobs or endpoints for which it holds.")
        exceptions.append(RulesException(scope=scope, rules=rules_drafted(each.rules, inside.inside("/rules"))))
    return tuple(exceptions)


def route_drafted(before: AlertRoute | None, patch: AlertRoutePatch, route_id: str, sealed: str | None) -> AlertRoute:
    """*before*, or nothing, with what *patch* says, and its URL *sealed*. Raises InvalidInputError with all findings.

    What was shown of a URL may be sent back: it stays.
    """
    findings = Findings()
    check_limits(patch, findings)
    given = patch.model_fields_set
    name = patch.name if patch.name is not None or before is None else before.name
    channel = patch.channel if patch.channel is not None or before is None else before.channel
    stays = before is not None and patch.target in {None, shown_target(before)}
    target, kept = (before.target, before.sealed) if before is not None and stays else (patch.target, sealed)
    _check_name(name, findings)
    if channel is None:
        findings.refuse("/channel", f"Say how messages travel: one of {', '.join(AlertChannel)}.")
    elif target is None:
        findings.refuse("/target", "Say where messages go: a URL, or for email addresses separated by commas.")
    elif not findings.found("/target") and not (stays and kept is not None and channel is not AlertChannel.EMAIL):
        _check_target(channel, target, findings)
    findings.raise_errors()
    assert channel is not None
    assert target is not None
    scope = before.scope if before is not None else AlertScope()
    if patch.job_ids is not None:
        scope = replace(scope, job_ids=_once(patch.job_ids))
    if patch.endpoint_ids is not None:
        scope = replace(scope, endpoint_ids=_once(patch.endpoint_ids))
    reminded = before.remind_every if before is not None else None
    if "remind_every_ms" in given:
        reminded = patch.remind_every_ms * MILLISECOND if patch.remind_every_ms is not None else None
    leads_to_url = channel is not AlertChannel.EMAIL
    return AlertRoute(
        id=route_id, name=name or "", channel=channel, scope=scope, remind_every=reminded,
        target=shown_url(target) if leads_to_url and kept is not None else target,
        sealed=kept if leads_to_url else None,
        kinds=tuple(dict.fromkeys(patch.kinds)) if patch.kinds is not None else before.kinds if before else (),
        enabled=patch.enabled if patch.enabled is not None else before.enabled if before else True,
    )  # fmt: skip


def window_drafted(document: MaintenanceDocument, window_id: str, now: datetime, cron: Cron) -> MaintenanceWindow:
    """The window that *document* describes at *now*. Raises InvalidInputError with all findings."""
    findings = Findings()
    check_limits(document, findings)
    _check_name(document.name, findings)
    if document.duration_ms is None:
        findings.refuse("/durationMs", "Say how long it lasts.")
    if (document.start_at is None) == (document.cron is None):
        findings.refuse("/startAt", "Say when it begins: give either startAt or cron.")
    schedule = CronSchedule(document.cron, document.timezone or "UTC") if document.cron is not None else None
    if schedule is not None and not findings.found("/cron"):
        try:
            cron.check(schedule, now)
        except InvalidInputError as error:
            findings.refuse("/cron", str(error))
    if document.timezone is not None and document.cron is None:
        findings.refuse("/timezone", "Only a cron schedule is read in a time zone; startAt has its offset.")
    findings.raise_errors()
    return MaintenanceWindow(
        id=window_id, name=document.name or "", start_at=document.start_at, cron=schedule,
        duration=(document.duration_ms or 0) * MILLISECOND,
        scope=scope_drafted(document.job_ids, document.endpoint_ids),
    )  # fmt: skip


def _check_name(name: str | None, findings: Findings) -> None:
    if not (name or "").strip() and not findings.found("/name"):
        findings.refuse("/name", "Give it a name.")


def _check_target(channel: AlertChannel, target: str, findings: Findings) -> None:
    if channel is not AlertChannel.EMAIL:
        fault = url_fault(target)
        if fault is not None:
            findings.refuse("/target", fault)
        return
    addresses = [address.strip() for address in target.split(",")]
    wrong = [address for address in addresses if _ADDRESS.fullmatch(address) is None]
    if wrong or len(addresses) > RECIPIENTS_MAX:
        findings.refuse(
            "/target", f"Must be 1 to {RECIPIENTS_MAX} addresses such as ops@example.com, separated by commas."
        )


def url_fault(target: str) -> str | None:
    """Why *target* is no URL that messages can go to; None where it is one."""
    if LEFT_OUT in target:
        return "This is what is shown of a URL, and none is stored: send the URL itself."
    try:
        parse_target(target)
    except InvalidInputError as error:
        return str(error)
    return None


def scope_drafted(job_ids: Sequence[str] | None, endpoint_ids: Sequence[str] | None) -> AlertScope:
    return AlertScope(job_ids=_once(job_ids or ()), endpoint_ids=_once(endpoint_ids or ()))


def _once(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
