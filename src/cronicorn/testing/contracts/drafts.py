"""The promises of `Drafts`."""

from dataclasses import replace
from typing import Protocol

import pytest

from cronicorn.domain.access.audit_entry import AuditQuery
from cronicorn.domain.compilation.deciding import Decided, activated, rejected
from cronicorn.domain.compilation.draft import (
    DRAFTS_KEPT,
    CompileReason,
    CompileUsage,
    Draft,
    DraftStatus,
    Figures,
    Finding,
    FindingCheck,
    Severity,
    text_of,
)
from cronicorn.domain.compilation.ports import Drafts
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import ConflictError, NotFoundError
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.permission import Operation
from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.settlement import Change, Stored
from cronicorn.testing.contracts.access import doing
from cronicorn.testing.contracts.stores import CRON, OTHER_TENANT, TENANT, Stores, StoresContract, endpoint_of, plant

DESCRIPTION = "Look more often while errors are high — sofort.\0\ud800"
"""With what some stores can't hold as it is."""
POLICY = policy_of(
    {
        "version": 1,
        "fields": {"err": {"path": "$.err", "type": "number"}},
        "rules": [{"id": "surge", "when": "err > 5", "until": "err < 2", "action": {"interval": "30s"}}],
        "unsupported": ["send a mail"],
    }
)
UNVERIFIED = Finding(check=FindingCheck.FIELDS, severity=Severity.WARNING, pointer="/fields/err", message="Unverified.")


class StoresWithDrafts(Stores, Protocol):
    """The stores of one database, drafts among them."""

    @property
    def drafts(self) -> Drafts: ...


def a_draft(number: int = 1, **changes: object) -> Draft:
    """A draft of `ep1` that says something in every field."""
    made = Draft(
        id=f"dr{number}", tenant_id=TENANT, endpoint_id="ep1", hash="0" * 64, status=DraftStatus.DRAFT, policy=POLICY,
        description=DESCRIPTION, replaces=None, reason=CompileReason.FIRST,
        findings=(UNVERIFIED,),
        figures=Figures(recorded=7, calls_a_day_old=288.0, calls_a_day_new=301.5, flips_an_hour=0.1, conclusion="Yes."),
        spent=CompileUsage(model="openai:x", tokens=4_321, cached=17, rounds=2), classes=frozenset({"2xx json"}),
        created_at=MIDNIGHT, created_by="ann",
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def activating(draft: Draft, endpoint: JobEndpoint, stored: Stored) -> Decided:
    """Activate."""
    return activated(draft, endpoint, stored, CRON, "ann")


def rejecting(draft: Draft, _: JobEndpoint, stored: Stored) -> Decided:
    """Reject."""
    return rejected(draft, stored.now, "bob")


class DraftsContract(StoresContract):
    """Subclass this with a `stores` fixture."""

    async def test_a_draft_is_kept_as_it_was_made(self, stores: StoresWithDrafts) -> None:
        await plant(stores, description=DESCRIPTION)

        await stores.drafts.add(a_draft())

        assert await stores.drafts.get(TENANT, "ep1", "dr1") == a_draft()
        assert await stores.drafts.list(TENANT, "ep1") == [a_draft()]

    async def test_a_draft_without_a_policy_is_kept(self, stores: StoresWithDrafts) -> None:
        await plant(stores, description=DESCRIPTION)
        failed = a_draft(status=DraftStatus.NEEDS_ATTENTION, policy=None, figures=None, replaces=text_of(POLICY))

        await stores.drafts.add(failed)

        assert await stores.drafts.get(TENANT, "ep1", "dr1") == failed

    async def test_drafts_are_listed_newest_first_and_a_waiting_one_gives_way(self, stores: StoresWithDrafts) -> None:
        await plant(stores, description=DESCRIPTION)
        await stores.drafts.add(a_draft(1))

        await stores.drafts.add(a_draft(2))

        newest, oldest = await stores.drafts.list(TENANT, "ep1")
        assert newest == a_draft(2)
        assert (oldest.id, oldest.status, oldest.decided_at) == ("dr1", DraftStatus.SUPERSEDED, MIDNIGHT)

    async def test_a_failure_takes_the_place_of_nothing(self, stores: StoresWithDrafts) -> None:
        await plant(stores, description=DESCRIPTION)
        await stores.drafts.add(a_draft(1))

        await stores.drafts.add(a_draft(2, status=DraftStatus.NEEDS_ATTENTION))

        assert (await stores.drafts.get(TENANT, "ep1", "dr1")).status is DraftStatus.DRAFT

    async def test_only_the_newest_are_kept_and_the_active_one(self, stores: StoresWithDrafts) -> None:
        await plant(stores, description=DESCRIPTION)
        await stores.drafts.add(a_draft(0))
        await stores.drafts.decide(TENANT, "ep1", "dr0", activating)

        for number in range(1, DRAFTS_KEPT + 3):
            await stores.drafts.add(a_draft(number))

        kept = await stores.drafts.list(TENANT, "ep1")
        assert [kept[0].id, kept[-1].id] == [f"dr{DRAFTS_KEPT + 2}", "dr0"]
        assert len(kept) == DRAFTS_KEPT + 1

    async def test_a_taken_id_is_refused(self, stores: StoresWithDrafts) -> None:
        await plant(stores, "ep1", "ep2")
        await stores.drafts.add(a_draft())

        with pytest.raises(ConflictError):
            await stores.drafts.add(a_draft(endpoint_id="ep2", description="another"))

        assert await stores.drafts.list(TENANT, "ep1") == [a_draft()]

    async def test_activating_writes_draft_and_endpoint_at_once(self, stores: StoresWithDrafts) -> None:
        await plant(stores, description=DESCRIPTION)
        await stores.drafts.add(a_draft(1))
        await stores.drafts.decide(TENANT, "ep1", "dr1", activating)
        before = await endpoint_of(stores)
        await stores.drafts.add(a_draft(2, policy=replace(POLICY, flips_max=9), replaces=text_of(POLICY)))

        draft, endpoint, _ = await stores.drafts.decide(TENANT, "ep1", "dr2", activating)

        assert draft.status is DraftStatus.ACTIVE
        assert (await stores.drafts.get(TENANT, "ep1", "dr2")).decided_by == "ann"
        assert (await stores.drafts.get(TENANT, "ep1", "dr1")).status is DraftStatus.SUPERSEDED
        assert await endpoint_of(stores) == endpoint
        assert endpoint.policy == replace(POLICY, flips_max=9)
        assert endpoint.version == before.version + 1

    async def test_rejecting_leaves_the_endpoint_alone(self, stores: StoresWithDrafts) -> None:
        await plant(stores, description=DESCRIPTION)
        before = await endpoint_of(stores)
        await stores.drafts.add(a_draft())

        draft, _, _ = await stores.drafts.decide(TENANT, "ep1", "dr1", rejecting)

        assert draft.status is DraftStatus.REJECTED
        assert await stores.drafts.list(TENANT, "ep1") == [draft]
        assert await endpoint_of(stores) == before

    async def test_the_audit_log_tells_who_had_a_draft_made_and_who_decided(self, stores: StoresWithDrafts) -> None:
        await plant(stores, description=DESCRIPTION)
        await stores.drafts.add(a_draft(1), doing(Operation.DRAFT_PROPOSE))
        with pytest.raises(ConflictError):
            await stores.drafts.add(a_draft(1), doing(Operation.DRAFT_PROPOSE))
        failed = a_draft(2, status=DraftStatus.NEEDS_ATTENTION, policy=None, figures=None)
        await stores.drafts.add(failed, doing(Operation.DRAFT_MAKE))
        await stores.drafts.decide(TENANT, "ep1", "dr1", activating, doing(Operation.DRAFT_ACTIVATE))
        await stores.drafts.decide(TENANT, "ep1", "dr2", rejecting, doing(Operation.DRAFT_REJECT))

        entries = (await stores.audit_log.list(TENANT, AuditQuery(limit=9)))[::-1]

        assert [(each.action, each.object_kind, each.object_id) for each in entries] == [
            ("draft.propose", "draft", "dr1"), ("draft.make", "draft", "dr2"), ("draft.activate", "draft", "dr1"),
            ("draft.reject", "draft", "dr2"),
        ]  # fmt: skip
        assert {(each.actor, each.request_id) for each in entries} == {("ann", "req-1")}
        assert (entries[0].before, entries[0].after) == (
            None, {"endpoint_id": "ep1", "status": "draft", "reason": "described", "policy": text_of(POLICY)},
        )  # fmt: skip
        assert entries[1].after == {"endpoint_id": "ep1", "status": "needs_attention", "reason": "described"}

    async def test_a_draft_without_a_policy_is_rejected(self, stores: StoresWithDrafts) -> None:
        await plant(stores, description=DESCRIPTION)
        await stores.drafts.add(a_draft(status=DraftStatus.NEEDS_ATTENTION, policy=None, figures=None))

        draft, _, _ = await stores.drafts.decide(TENANT, "ep1", "dr1", rejecting)

        assert (draft.status, draft.policy, draft.decided_by) == (DraftStatus.REJECTED, None, "bob")
        assert await stores.drafts.get(TENANT, "ep1", "dr1") == draft

    async def test_a_decision_that_raises_changes_nothing(self, stores: StoresWithDrafts) -> None:
        await plant(stores, description=DESCRIPTION)
        before = await endpoint_of(stores)
        await stores.drafts.add(a_draft(replaces=text_of(POLICY)))

        with pytest.raises(ConflictError):
            await stores.drafts.decide(TENANT, "ep1", "dr1", activating)

        assert await stores.drafts.list(TENANT, "ep1") == [a_draft(replaces=text_of(POLICY))]
        assert await endpoint_of(stores) == before

    async def test_drafts_of_others_are_not_found(self, stores: StoresWithDrafts) -> None:
        await plant(stores, "ep1", "ep2")
        await stores.drafts.add(a_draft())

        with pytest.raises(NotFoundError):
            await stores.drafts.get(OTHER_TENANT, "ep1", "dr1")
        with pytest.raises(NotFoundError):
            await stores.drafts.get(TENANT, "ep2", "dr1")
        with pytest.raises(NotFoundError):
            await stores.drafts.list(OTHER_TENANT, "ep1")
        with pytest.raises(NotFoundError):
            await stores.drafts.decide(OTHER_TENANT, "ep1", "dr1", rejecting)
        with pytest.raises(NotFoundError):
            await stores.drafts.add(a_draft(2, endpoint_id="ep9"))

    async def test_drafts_go_with_their_endpoint(self, stores: StoresWithDrafts) -> None:
        await plant(stores, description=DESCRIPTION)
        await stores.drafts.add(a_draft())
        await stores.endpoints.delete(TENANT, "ep1")

        await plant(stores, description=DESCRIPTION)

        assert await stores.drafts.list(TENANT, "ep1") == []

    async def test_an_edit_in_between_is_seen_by_the_decision(self, stores: StoresWithDrafts) -> None:
        await plant(stores, description=DESCRIPTION)
        await stores.drafts.add(a_draft())
        await stores.endpoints.change(
            TENANT, "ep1", lambda endpoint, job, stored: Change(endpoint=replace(endpoint, policy=POLICY))
        )

        with pytest.raises(ConflictError):
            await stores.drafts.decide(TENANT, "ep1", "dr1", activating)
