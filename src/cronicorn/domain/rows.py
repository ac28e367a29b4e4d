"""Rows of jobs, endpoints, runs, leases and tenants, and what they mean."""

import json
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache

from cronicorn.domain.calendar import Period
from cronicorn.domain.cells import Cell, Row, number_in
from cronicorn.domain.document import endpoint_document, endpoint_of, state_document, state_of
from cronicorn.domain.endpoint import EndpointState, Job, JobEndpoint, JobStatus
from cronicorn.domain.fields import Fields, Value, lean, length_us, us
from cronicorn.domain.history_document import outcome_document, outcome_of, skip_document, skip_of
from cronicorn.domain.instant import instant_of
from cronicorn.domain.lease import Lease
from cronicorn.domain.mechanism import Mechanism
from cronicorn.domain.plan import Source
from cronicorn.domain.quota.terms import Terms
from cronicorn.domain.run import Run, RunStatus
from cronicorn.domain.settlement import Settlement
from cronicorn.domain.slot import Skip, SlotState
from cronicorn.domain.tenant import ApiKey, Tenant

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_decode = json.JSONDecoder().decode
_KEPT_CHARACTERS_MAX = 4_096
"""A longer endpoint is read anew each time, so that what is kept stays within some 20 MB."""


def job_row(job: Job) -> Row:
    return {
        "id": job.id,
        "tenant_id": job.tenant_id,
        "name": job.name,
        "description": job.description,
        "status": job.status.value,
        "created_us": us(job.created_at),
        "updated_us": us(job.updated_at),
        "archived_us": us(job.archived_at),
    }


def job_of(row: Mapping[str, Cell]) -> Job:
    return Job(
        id=_text(row["id"]),
        tenant_id=_text(row["tenant_id"]),
        name=_text(row["name"]),
        description=_text_or_none(row["description"]),
        status=JobStatus(_text(row["status"])),
        created_at=instant_of(number_in(row["created_us"])),
        updated_at=instant_of(number_in(row["updated_us"])),
        archived_at=instant_of(number_in(row["archived_us"])) if row["archived_us"] is not None else None,
    )


def endpoint_row(endpoint: JobEndpoint) -> Row:
    """The row of `endpoints`, but for its numbers."""
    return {
        "id": endpoint.id,
        "tenant_id": endpoint.tenant_id,
        "version": endpoint.version,
        "created_us": us(endpoint.created_at),
        "archived_us": us(endpoint.archived_at),
        "reads": int(endpoint.policy is not None and bool(endpoint.policy.siblings)),
        "document": _encode(endpoint_document(endpoint)),
    }


def state_row(state: EndpointState) -> Row:
    """The columns of `schedule` that say where the schedule stands. `state` is the truth, the rest is for queries."""
    return {
        "due_us": us(state.due_at),
        "slot": state.slot,
        "attempt": state.attempt,
        "manual_slot": state.manual.slot if state.manual is not None else None,
        "state": _encode(state_document(state)),
    }


def endpoint_from(document: str, state: str) -> JobEndpoint:
    """An endpoint from the columns `endpoints.document` and `schedule.state`. Raises one of UNREADABLE.

    Small ones are kept for a while: a settlement mostly finds what the claim before it found.
    """
    small = len(document) + len(state) <= _KEPT_CHARACTERS_MAX
    return _kept(document, state) if small else endpoint_of(_decode(document)).standing(state_of(_decode(state)))


@lru_cache(maxsize=2_048)
def _kept(document: str, state: str) -> JobEndpoint:
    return _kept_endpoint(document).standing(state_of(_decode(state)))


@lru_cache(maxsize=2_048)
def _kept_endpoint(document: str) -> JobEndpoint:
    """An endpoint changes rarely and is read with every claim and settlement."""
    return endpoint_of(_decode(document))


def lease_from(row: Mapping[str, Cell]) -> Lease:
    """A lease from the columns of `schedule` and the endpoint's document. Raises one of UNREADABLE."""
    return Lease(
        endpoint=endpoint_from(_text(row["document"]), _text(row["state"])),
        claim_id=_text(row["claim_id"]),
        fence=number_in(row["fence"]),
        slot=number_in(row["leased_slot"]),
        attempt=number_in(row["leased_attempt"]),
        manual=bool(row["leased_manual"]),
        taken_over=bool(row["lost_claims"]),
        watched=bool(row.get("watched")),
        claimed_at=instant_of(number_in(row["claimed_us"])),
        expires_at=instant_of(number_in(row["lease_until_us"])),
        mechanism=Mechanism(_text(row.get("mechanism", Mechanism.LEASE))),
    )


def run_row(run: Run, steering: str | None = None) -> Row:
    """The row of `runs`, but for its numbers; *steering* is what was made of the answer of a run that just ended."""
    body = run.outcome.body
    return {
        "slot": run.slot,
        "attempt": run.attempt,
        "fence": run.fence,
        "status": run.status.value,
        "source": run.source.value,
        "trace": run.trace,
        "due_us": us(run.due_at),
        "nominal_us": us(run.nominal_at),
        "started_us": us(run.started_at),
        "finished_us": us(run.finished_at),
        "duration_us": length_us(run.outcome.duration),
        "outcome": _encode(outcome_document(run.outcome)),
        "steering": run.steering if steering is None else steering,
        "body": body.encode("utf-8", "surrogatepass") if body is not None else None,
    }


def run_of(tenant_id: str, endpoint_id: str, row: Mapping[str, Cell]) -> Run:
    """A run; without its body when *row* has none."""
    body = row.get("body")
    text = body.decode("utf-8", "surrogatepass") if isinstance(body, bytes) else None
    return Run(
        tenant_id=tenant_id,
        endpoint_id=endpoint_id,
        slot=number_in(row["slot"]),
        attempt=number_in(row["attempt"]),
        fence=number_in(row["fence"]),
        source=Source(_text(row["source"])),
        trace=_text(row["trace"]),
        due_at=instant_of(number_in(row["due_us"])),
        nominal_at=instant_of(number_in(row["nominal_us"])) if row["nominal_us"] is not None else None,
        started_at=instant_of(number_in(row["started_us"])),
        finished_at=instant_of(number_in(row["finished_us"])),
        status=RunStatus(_text(row["status"])),
        outcome=outcome_of(_decode(_text(row["outcome"])), text),
        steering=_text_or_none(row["steering"]),
    )


def skip_row(skip: Skip) -> Row:
    """The row of `skips`, but for its numbers."""
    return {
        "state": skip.state.value,
        "reason": skip.reason,
        "first_us": us(skip.first_at),
        "last_us": us(skip.last_at),
        "instants": skip.count,
        "exact": int(skip.exact),
    }


def skip_from(row: Mapping[str, Cell]) -> Skip:
    return Skip(
        state=SlotState(_text(row["state"])),
        reason=_text(row["reason"]),
        first_at=instant_of(number_in(row["first_us"])),
        last_at=instant_of(number_in(row["last_us"])),
        count=number_in(row["instants"]),
        exact=bool(row["exact"]),
    )


def done_text(settlement: Settlement) -> str | None:
    """What of a settlement its state does not say; None when that is nothing. What became of siblings is theirs."""
    if not settlement.skips and settlement.month_at is None:
        return None
    skips: list[Value] = [skip_document(skip) for skip in settlement.skips]
    return _encode(lean({"skips": skips, "month_us": us(settlement.month_at)}))


def done_of(text: str | None, state: EndpointState) -> Settlement:
    """The settlement that `done_text` kept, with *state*."""
    if text is None:
        return Settlement(state=state)
    parts = _decode(text)
    month_at = Fields(parts).instant_or_none("month_us")
    return Settlement(state=state, skips=tuple(skip_of(part) for part in parts["skips"]), month_at=month_at)


def tenant_of(row: Mapping[str, Cell]) -> Tenant:
    return Tenant(
        id=_text(row["id"]),
        name=_text(row["name"]),
        created_at=instant_of(number_in(row["created_us"])),
        terms=terms_of(row),
    )


def tenant_row(tenant: Tenant) -> Row:
    return {"id": tenant.id, "name": tenant.name, "created_us": us(tenant.created_at), **terms_row(tenant.terms)}


def terms_row(terms: Terms) -> Row:
    """The columns of a tenant that say what was agreed about its tokens."""
    return {
        "tier": terms.tier,
        "token_limit": terms.limit,
        "token_period": terms.period.value if terms.period is not None else None,
        "token_zone": terms.zone,
    }


def terms_of(row: Mapping[str, Cell]) -> Terms:
    """The terms in a row of `tenants`."""
    limit, period = row["token_limit"], _text_or_none(row["token_period"])
    return Terms(
        tier=_text_or_none(row["tier"]),
        limit=number_in(limit) if limit is not None else None,
        period=Period(period) if period is not None else None,
        zone=_text_or_none(row["token_zone"]),
    )


def key_row(key: ApiKey) -> Row:
    return {
        "id": key.id,
        "tenant_id": key.tenant_id,
        "prefix": key.prefix,
        "hash": key.hash,
        "created_us": us(key.created_at),
    }


def key_of(row: Mapping[str, Cell]) -> ApiKey:
    return ApiKey(
        id=_text(row["id"]),
        tenant_id=_text(row["tenant_id"]),
        prefix=_text(row["prefix"]),
        hash=_text(row["hash"]),
        created_at=instant_of(number_in(row["created_us"])),
    )


def mean(total_us: int, count: int) -> timedelta | None:
    """The mean of *count* lengths, rounded down to the microsecond; None of nothing."""
    return timedelta(microseconds=total_us // count) if count else None


def _text(cell: Cell) -> str:
    assert isinstance(cell, str)
    return cell


def _text_or_none(cell: Cell) -> str | None:
    return None if cell is None else _text(cell)


def number_or_zero(cell: Cell) -> int:
    """The number that *cell* holds; 0 when it holds none, in a row that may be broken."""
    return cell if isinstance(cell, int) else 0
