"""Rows of jobs, endpoints, runs, leases and tenants, and what they mean."""

from collections.abc import Mapping
from datetime import timedelta

from cronicorn.domain.calendar import Period
from cronicorn.domain.cells import Cell, Row, instant_in, instant_or_none, number_in, text_in, text_or_none
from cronicorn.domain.document import endpoint_document, state_text
from cronicorn.domain.endpoint import EndpointState, Job, JobEndpoint, JobStatus
from cronicorn.domain.fields import Fields, Value, document_in, json_text, lean, length_us, us
from cronicorn.domain.history_document import outcome_of, outcome_text, skip_document, skip_of
from cronicorn.domain.instant import instant_of, length_of
from cronicorn.domain.lately_read import LatelyRead
from cronicorn.domain.lease import Lease
from cronicorn.domain.mechanism import Mechanism
from cronicorn.domain.plan import Source
from cronicorn.domain.quota.terms import Terms
from cronicorn.domain.run import Run, RunStatus
from cronicorn.domain.settlement import Settlement
from cronicorn.domain.slot import Skip, SlotState
from cronicorn.domain.tenant import Tenant

_LATELY_READ = LatelyRead()
_MECHANISMS: Mapping[str, Mechanism] = {mechanism: mechanism for mechanism in Mechanism}


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
        id=text_in(row["id"]),
        tenant_id=text_in(row["tenant_id"]),
        name=text_in(row["name"]),
        description=text_or_none(row["description"]),
        status=JobStatus(text_in(row["status"])),
        created_at=instant_in(row["created_us"]),
        updated_at=instant_in(row["updated_us"]),
        archived_at=instant_or_none(row["archived_us"]),
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
        "document": json_text(endpoint_document(endpoint)),
    }


def state_row(state: EndpointState) -> Row:
    """The columns of `schedule` that say where the schedule stands. `state` is the truth, the rest is for queries.

    Statements that settle take them in this order.
    """
    return {
        "due_us": us(state.due_at),
        "slot": state.slot,
        "attempt": state.attempt,
        "manual_slot": state.manual.slot if state.manual is not None else None,
        "state": state_text(state),
    }


def settled_row(document: str, before: JobEndpoint, state: EndpointState) -> Row:
    """`state_row` of what settling *before* led to, whose *document* stays.

    The next claim of it by this process needs to read neither text. A write that is undone does no harm: what is kept
    says what texts mean, and rows alone which texts are so.
    """
    row = state_row(state)
    _LATELY_READ.keep(document, text_in(row["state"]), before.standing(state))
    return row


def endpoint_from(document: str, state: str) -> JobEndpoint:
    """An endpoint from the columns `endpoints.document` and `schedule.state`. Raises one of UNREADABLE."""
    return _LATELY_READ.endpoint(document, state)


def lease_from(row: Mapping[str, Cell]) -> Lease:
    """A lease from the columns of `schedule` and the endpoint's document. Raises one of UNREADABLE."""
    document, state, claim_id, fence = row["document"], row["state"], row["claim_id"], row["fence"]
    slot, attempt, claimed_us, until_us = (
        row["leased_slot"],
        row["leased_attempt"],
        row["claimed_us"],
        row["lease_until_us"],
    )
    assert isinstance(document, str)
    assert isinstance(state, str)
    assert isinstance(claim_id, str)
    assert isinstance(fence, int)
    assert isinstance(slot, int)
    assert isinstance(attempt, int)
    assert isinstance(claimed_us, int)
    assert isinstance(until_us, int)
    return Lease(
        endpoint=_LATELY_READ.endpoint(document, state),
        claim_id=claim_id,
        fence=fence,
        slot=slot,
        attempt=attempt,
        manual=bool(row["leased_manual"]),
        taken_over=bool(row["lost_claims"]),
        watched=bool(row.get("watched")),
        claimed_at=instant_of(claimed_us),
        expires_at=instant_of(until_us),
        mechanism=_MECHANISMS[text_in(row.get("mechanism", Mechanism.LEASE))],
    )


def run_row(run: Run, steering: str | None = None) -> Row:
    """The row of `runs`, but for its numbers; *steering* is what was made of the answer of a run that just ended."""
    body = run.outcome.body
    return {
        "slot": run.slot,
        "attempt": run.attempt,
        "fence": run.fence,
        "status": str(run.status),  # A third of what `.value` takes.
        "source": str(run.source),
        "trace": run.trace,
        "due_us": us(run.due_at),
        "nominal_us": us(run.nominal_at),
        "started_us": us(run.started_at),
        "finished_us": us(run.finished_at),
        "duration_us": length_us(run.outcome.duration),
        "outcome": outcome_text(run.outcome),
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
        source=Source(text_in(row["source"])),
        trace=text_in(row["trace"]),
        due_at=instant_in(row["due_us"]),
        nominal_at=instant_or_none(row["nominal_us"]),
        started_at=instant_in(row["started_us"]),
        finished_at=instant_in(row["finished_us"]),
        status=RunStatus(text_in(row["status"])),
        outcome=outcome_of(document_in(text_in(row["outcome"])), text),
        steering=text_or_none(row["steering"]),
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
        state=SlotState(text_in(row["state"])),
        reason=text_in(row["reason"]),
        first_at=instant_in(row["first_us"]),
        last_at=instant_in(row["last_us"]),
        count=number_in(row["instants"]),
        exact=bool(row["exact"]),
    )


def done_text(settlement: Settlement) -> str | None:
    """What of a settlement its state does not say; None when that is nothing. What became of siblings is theirs."""
    if not settlement.skips and settlement.month_at is None:
        return None
    skips: list[Value] = [skip_document(skip) for skip in settlement.skips]
    return json_text(lean({"skips": skips, "month_us": us(settlement.month_at)}))


def done_of(text: str | None, state: EndpointState) -> Settlement:
    """The settlement that `done_text` kept, with *state*."""
    if text is None:
        return Settlement(state=state)
    fields = Fields(document_in(text))
    skips = tuple(skip_of(part) for part in fields.parts("skips"))
    return Settlement(state=state, skips=skips, month_at=fields.instant_or_none("month_us"))


def tenant_of(row: Mapping[str, Cell]) -> Tenant:
    return Tenant(
        id=text_in(row["id"]),
        name=text_in(row["name"]),
        created_at=instant_in(row["created_us"]),
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
    limit, period = row["token_limit"], text_or_none(row["token_period"])
    return Terms(
        tier=text_or_none(row["tier"]),
        limit=number_in(limit) if limit is not None else None,
        period=Period(period) if period is not None else None,
        zone=text_or_none(row["token_zone"]),
    )


def mean(total_us: int, count: int) -> timedelta | None:
    """The mean of *count* lengths, rounded down to the microsecond; None of nothing."""
    return length_of(total_us // count) if count else None


def number_or_zero(cell: Cell) -> int:
    """The number that *cell* holds; 0 when it holds none, in a row that may be broken."""
    return cell if isinstance(cell, int) else 0
