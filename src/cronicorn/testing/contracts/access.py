"""The promises of `MemberBook`, `SignedInStore` and `AuditLog`, and that changes are recorded with what they change."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from cronicorn.domain.access.audit_entry import AuditQuery
from cronicorn.domain.access.member import SESSION_IDLE_MAX, SESSION_LIFE_MAX, Member, SignedIn
from cronicorn.domain.alert.judging import by_rules
from cronicorn.domain.call import Request
from cronicorn.domain.endpoint import Job, JobEndpoint, JobStatus
from cronicorn.domain.errors import ConflictError, NotFoundError
from cronicorn.domain.fixtures import MIDNIGHT, a_job, an_endpoint
from cronicorn.domain.masking import MASK
from cronicorn.domain.permission import EVERYTHING, Operation, Role
from cronicorn.domain.principal import ActorKind, Principal
from cronicorn.domain.quota.terms import Terms
from cronicorn.domain.settlement import Change, Stored
from cronicorn.domain.tenant import Tenant
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.alerts import an_incident
from cronicorn.testing.contracts.issued_keys import a_key, settle_in
from cronicorn.testing.contracts.stores import MINUTE, TENANT, Stores, StoresContract, claim_one, plant, start

OTHER = "hash of another"
ALL = AuditQuery(limit=1_000)


def a_member(login: str = "ann", *, role: Role = Role.EDITOR, tenant_id: str = TENANT) -> Member:
    """A member with a password."""
    return Member(
        id=f"member-{login}", tenant_id=tenant_id, login=login, role=role, created_at=MIDNIGHT,
        runs_installation=role is Role.OWNER, password=f"hash of {login}'s", password_at=MIDNIGHT + MINUTE,
    )  # fmt: skip


def a_session(member: Member, text: str = "one", *, age: timedelta = timedelta(0)) -> SignedIn:
    """A session of *member*."""
    return SignedIn(
        hash=f"hash-{text}", member_id=member.id, created_at=MIDNIGHT - age, seen_at=MIDNIGHT - min(age, MINUTE)
    )


def doing(operation: Operation, tenant_id: str = TENANT) -> Principal:
    """Somebody doing *operation*."""
    return Principal(
        tenant_id=tenant_id, actor="ann", permissions=EVERYTHING, kind=ActorKind.USER, actor_id="member-ann",
        request_id="req-1", operation=operation,
    )  # fmt: skip


class MemberBookContract(StoresContract):
    """Subclass this with a `stores` fixture."""

    async def test_members_are_found_by_login_and_listed_oldest_first(self, stores: Stores) -> None:
        await settle_in(stores)
        young, old = replace(a_member("bob"), created_at=MIDNIGHT + MINUTE), replace(a_member(), password=None)
        for member in (young, old):
            await stores.members.add(member, 10)

        assert await stores.members.list(TENANT) == [old, young]
        assert await stores.members.find("bob") == young
        assert await stores.members.find("Bob") is None
        assert await stores.members.list("t2") == []

    async def test_a_taken_login_a_full_tenant_and_no_tenant_are_refused(self, stores: Stores) -> None:
        await settle_in(stores, TENANT, "t2")
        await stores.members.add(a_member(), 1)

        with pytest.raises(ConflictError, match="login"):
            await stores.members.add(replace(a_member(tenant_id="t2"), id="other"), 10)
        with pytest.raises(ConflictError, match="1 are allowed"):
            await stores.members.add(a_member("bob"), 1)
        with pytest.raises(NotFoundError):
            await stores.members.add(a_member("bob", tenant_id="nobody"), 1)

        assert await stores.members.list("t2") == []

    async def test_a_tenant_comes_with_its_owner_or_not_at_all(self, stores: Stores) -> None:
        owner, key = a_member("owner", role=Role.OWNER), a_key()
        tenant = Tenant(id=TENANT, name="shop", created_at=MIDNIGHT)
        await stores.keys.add_tenant(tenant, key, owner)

        again = Tenant(id="t2", name="other", created_at=MIDNIGHT)
        with pytest.raises(ConflictError):
            await stores.keys.add_tenant(again, a_key("two", tenant_id="t2"), replace(owner, id="x", tenant_id="t2"))

        assert await stores.members.list(TENANT) == [owner]
        assert await stores.keys.tenants() == [tenant]
        assert await stores.keys.find("hash-two") is None

    async def test_an_edit_sees_the_member_as_stored_and_the_stores_clock(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await settle_in(stores)
        await stores.members.add(a_member(), 10)
        seen = []

        def edit(before: Member, now: datetime) -> Member:
            seen.append((before, now))
            return replace(before, role=Role.VIEWER)

        changed = await stores.members.change(TENANT, "member-ann", edit)

        assert seen[0] == (a_member(), clock.now())
        assert changed == await stores.members.find("ann") == replace(a_member(), role=Role.VIEWER)

    async def test_the_member_of_another_tenant_is_not_changed(self, stores: Stores) -> None:
        await settle_in(stores, TENANT, "t2")
        await stores.members.add(a_member(), 10)

        with pytest.raises(NotFoundError):
            await stores.members.change("t2", "member-ann", lambda before, now: None)

        assert await stores.members.find("ann") == a_member()

    async def test_the_last_owner_stays_one(self, stores: Stores) -> None:
        await settle_in(stores)
        owners = [a_member(name, role=Role.OWNER) for name in ("ann", "bob")]
        for owner in owners:
            await stores.members.add(owner, 10)

        outcomes = await asyncio.gather(
            *(stores.members.change(TENANT, owner.id, lambda before, now: None) for owner in owners),
            return_exceptions=True,
        )

        assert sum(isinstance(outcome, ConflictError) for outcome in outcomes) == 1
        (left,) = await stores.members.list(TENANT)
        with pytest.raises(ConflictError, match="only owner"):
            await stores.members.change(TENANT, left.id, lambda before, now: replace(before, role=Role.EDITOR))
        await stores.members.change(TENANT, left.id, lambda before, now: replace(before, password=OTHER))


class SignedInStoreContract(StoresContract):
    """Subclass this with a `stores` fixture."""

    async def test_a_session_is_found_with_its_member_until_it_is_ended(self, stores: Stores) -> None:
        ann = await _signed_in(stores)

        found = await stores.signed_in.find("hash-one")
        await stores.signed_in.end("hash-one")
        await stores.signed_in.end("hash-one")

        assert found == (a_session(ann), ann)
        assert await stores.signed_in.find("hash-one") is None

    async def test_nobody_comes_in_with_an_old_password_or_after_removal(self, stores: Stores) -> None:
        ann = await _signed_in(stores)
        await stores.members.change(TENANT, ann.id, lambda before, now: replace(before, password=OTHER))

        with pytest.raises(ConflictError):
            await stores.signed_in.begin(a_session(ann, "two"), ann)
        await stores.members.change(TENANT, ann.id, lambda before, now: None)
        with pytest.raises(ConflictError):
            await stores.signed_in.begin(a_session(ann, "two"), ann)

        assert await stores.signed_in.find("hash-two") is None

    @pytest.mark.parametrize(
        ("changed", "left"),
        [
            ({"password": OTHER}, 0),
            ({"role": Role.VIEWER}, 0),
            ({"runs_installation": True}, 0),
            ({}, 1),
        ],
    )
    async def test_another_role_or_password_ends_all_sessions(
        self, stores: Stores, changed: dict[str, object], left: int
    ) -> None:
        ann = await _signed_in(stores)
        bob = a_member("bob")
        await stores.members.add(bob, 10)
        await stores.signed_in.begin(a_session(bob, "bob"), bob)

        await stores.members.change(TENANT, ann.id, lambda before, now: replace(before, **changed))  # type: ignore[arg-type]

        assert (await stores.signed_in.find("hash-one") is not None) == bool(left)
        assert await stores.signed_in.find("hash-bob") is not None

    async def test_all_sessions_of_a_member_end_at_once_and_with_the_member(self, stores: Stores) -> None:
        ann = await _signed_in(stores)
        await stores.signed_in.begin(a_session(ann, "two"), ann)

        await stores.signed_in.end_all(ann.id)
        assert [await stores.signed_in.find(f"hash-{text}") for text in ("one", "two")] == [None, None]

        await stores.signed_in.begin(a_session(ann, "three"), ann)
        await stores.members.change(TENANT, ann.id, lambda before, now: None)
        assert await stores.signed_in.find("hash-three") is None

    async def test_the_latest_use_is_remembered(self, stores: Stores) -> None:
        ann = await _signed_in(stores)

        for minutes in (5, 4):
            await stores.signed_in.seen("hash-one", MIDNIGHT + minutes * MINUTE)
        await stores.signed_in.seen("hash-none", MIDNIGHT)

        found = await stores.signed_in.find("hash-one")
        assert found == (replace(a_session(ann), seen_at=MIDNIGHT + 5 * MINUTE), ann)

    @pytest.mark.parametrize("length", [SESSION_IDLE_MAX, SESSION_LIFE_MAX])
    async def test_ended_sessions_are_forgotten_as_others_begin(
        self, stores: Stores, clock: VirtualClock, length: timedelta
    ) -> None:
        ann = await _signed_in(stores)
        if length == SESSION_LIFE_MAX:
            await stores.signed_in.seen("hash-one", clock.now() + length)

        clock.advance(length)
        await stores.signed_in.begin(replace(a_session(ann, "two"), seen_at=clock.now(), created_at=clock.now()), ann)

        assert await stores.signed_in.find("hash-one") is None
        assert await stores.signed_in.find("hash-two") is not None


class AuditLogContract(StoresContract):
    """Subclass this with a `stores` fixture."""

    async def test_what_people_do_is_recorded_with_what_it_changed(self, stores: Stores, clock: VirtualClock) -> None:
        await stores.jobs.add(a_job(), doing(Operation.JOB_CREATE))
        await stores.jobs.change(
            TENANT, "job1", lambda job, now: replace(job, status=JobStatus.PAUSED), by=doing(Operation.JOB_MOVE)
        )

        moved, created = await stores.audit_log.list(TENANT, ALL)

        assert (created.action, created.object_kind, created.object_id) == ("job.create", "job", "job1")
        assert (created.actor_kind, created.actor_id, created.actor) == (ActorKind.USER, "member-ann", "ann")
        assert (created.request_id, created.at, created.before) == ("req-1", clock.now(), None)
        assert created.after is not None
        assert created.after["name"] == a_job().name
        assert (moved.before, moved.after) == ({"status": "active"}, {"status": "paused"})
        assert moved.number > created.number

    async def test_what_changed_nothing_and_what_failed_leaves_no_entry(self, stores: Stores) -> None:
        await stores.jobs.add(a_job())

        await stores.jobs.change(TENANT, "job1", lambda job, now: job, by=doing(Operation.JOB_EDIT))
        with pytest.raises(ConflictError):
            await stores.jobs.add(a_job(), doing(Operation.JOB_CREATE))
        with pytest.raises(ZeroDivisionError):
            await stores.jobs.change(TENANT, "job1", lambda job, now: 1 / 0, by=doing(Operation.JOB_EDIT))  # type: ignore[arg-type,return-value]

        assert await stores.audit_log.list(TENANT, ALL) == []

    async def test_an_endpoint_is_told_of_without_its_secrets(self, stores: Stores) -> None:
        secret = Request(
            url="https://ann:hunter2@shop.example/a?token=hunter2&b",
            headers=(("Authorization", "hunter2"), ("Accept", "text/plain")),
            body_json='"hunter2"',
        )
        await stores.jobs.add(a_job())
        await stores.endpoints.add(an_endpoint(id="ep1", request=secret), start, by=doing(Operation.ENDPOINT_CREATE))
        other = replace(secret, headers=(("Authorization", "swordfish"), ("Accept", "text/plain")))
        await stores.endpoints.change(
            TENANT, "ep1", lambda endpoint, job, stored: Change(endpoint=replace(endpoint, request=other)),
            by=doing(Operation.ENDPOINT_EDIT),
        )  # fmt: skip
        await stores.endpoints.delete(TENANT, "ep1", doing(Operation.ENDPOINT_DELETE))

        deleted, edited, created = await stores.audit_log.list(TENANT, ALL)

        assert "hunter2" not in repr((deleted, edited, created))
        assert "swordfish" not in repr((deleted, edited))
        assert (deleted.after, created.before) == (None, None)
        assert edited.before is not None
        assert edited.before.keys() == {"request"}  # That something changed is told, and what not.
        assert created.after is not None
        assert created.after["request"] == {
            "url": f"https://shop.example/a?token={MASK}&b={MASK}",
            "headers": [["Authorization", MASK], ["Accept", "text/plain"]],
            "body_json": MASK,
        }

    async def test_keys_members_sessions_and_terms_are_told_of(self, stores: Stores) -> None:
        await settle_in(stores)
        ann = a_member()
        await stores.issued_keys.issue(a_key(), 10, doing(Operation.KEY_CREATE))
        await stores.issued_keys.revoke(TENANT, "key-ci", doing(Operation.KEY_REVOKE))
        await stores.issued_keys.revoke(TENANT, "key-ci", doing(Operation.KEY_REVOKE))
        await stores.members.add(ann, 10, doing(Operation.MEMBER_ADD))
        await stores.signed_in.begin(a_session(ann), ann, doing(Operation.ACCOUNT_SIGN_IN))
        await stores.signed_in.end("hash-one", doing(Operation.ACCOUNT_SIGN_OUT))
        await stores.signed_in.end_all(ann.id, doing(Operation.ACCOUNT_SIGN_OUT_EVERYWHERE))
        await stores.members.change(TENANT, ann.id, lambda before, now: None, doing(Operation.MEMBER_REMOVE))
        await stores.terms.agree(TENANT, lambda _: Terms(limit=5), doing(Operation.TERMS_AGREE))

        entries = await stores.audit_log.list(TENANT, ALL)

        assert [entry.action for entry in reversed(entries)] == [
            "key.create", "key.revoke", "member.add", "account.sign_in", "account.sign_out", "member.remove",
            "terms.agree",
        ]  # fmt: skip
        assert "hash" not in repr(entries)

    async def test_of_terms_that_are_agreed_at_once_each_entry_begins_where_another_ends(self, stores: Stores) -> None:
        await settle_in(stores)

        def one_more(before: Terms) -> Terms:
            return Terms(limit=(before.limit or 0) + 1)

        await asyncio.gather(*(stores.terms.agree(TENANT, one_more, doing(Operation.TERMS_AGREE)) for _ in range(8)))

        entries = (await stores.audit_log.list(TENANT, ALL))[::-1]
        assert await stores.terms.terms(TENANT) == Terms(limit=8)
        assert [entry.before for entry in entries[1:]] == [entry.after for entry in entries[:-1]]

    async def test_a_cancelled_run_and_a_forgiven_failure_are_told_of(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores, "ep1")
        clock.advance(MINUTE)
        lease = await claim_one(stores)

        await stores.run_control.cancel(TENANT, "ep1", lease.slot + 1, doing(Operation.RUN_CANCEL))
        await stores.run_control.cancel(TENANT, "ep1", lease.slot, doing(Operation.RUN_CANCEL))
        (cancelled,) = await stores.audit_log.list(TENANT, ALL)
        assert (cancelled.object_kind, cancelled.object_id) == ("run", f"ep1:{lease.slot}")

    async def test_an_endpoint_that_rules_about_alerts_pause_is_told_of(self, stores: Stores) -> None:
        await plant(stores, "ep1")

        def rename(endpoint: JobEndpoint, _job: Job, _stored: Stored) -> Change:
            return Change(endpoint=replace(endpoint, name="after"))

        written = await stores.incidents.write(an_incident(), (), rename, by_rules(TENANT))
        late = await stores.incidents.write(an_incident(id="another"), (), rename, by_rules(TENANT))

        (entry,) = await stores.audit_log.list(TENANT, ALL)
        assert (written, late) == (True, False)
        assert (entry.actor_kind, entry.action, entry.object_id) == (ActorKind.RULE, "endpoint.pause", "ep1")
        assert entry.after == {"name": "after"}

    async def test_pages_and_filters_are_confined_to_the_tenant(self, stores: Stores) -> None:
        for number in range(3):
            await stores.jobs.add(a_job(id=f"job{number}"), doing(Operation.JOB_CREATE))
        await stores.jobs.add(a_job(id="job3", tenant_id="t2"), doing(Operation.JOB_CREATE, "t2"))
        by_key = replace(doing(Operation.JOB_MOVE), actor_id="key-1")
        await stores.jobs.change(TENANT, "job1", lambda job, now: replace(job, status=JobStatus.PAUSED), by=by_key)

        first = await stores.audit_log.list(TENANT, AuditQuery(limit=3))
        rest = await stores.audit_log.list(TENANT, AuditQuery(limit=3, before=first[-1].number))
        found = [
            await stores.audit_log.list(TENANT, query)
            for query in (
                AuditQuery(limit=9, actor_id="key-1"),
                AuditQuery(limit=9, action="job.create"),
                AuditQuery(limit=9, object_id="job1"),
                AuditQuery(
                    limit=9, object_id="job1", action="job.create", actor_id="member-ann", before=first[0].number
                ),
                AuditQuery(limit=9, object_id="job3"),
            )
        ]

        assert [entry.object_id for entry in (*first, *rest)] == ["job1", "job2", "job1", "job0"]
        assert [len(entries) for entries in found] == [1, 3, 2, 1, 0]
        assert [entry.object_id for entry in await stores.audit_log.list("t2", ALL)] == ["job3"]


async def _signed_in(stores: Stores) -> Member:
    """A member with a session."""
    await settle_in(stores)
    ann = a_member()
    await stores.members.add(ann, 10)
    await stores.signed_in.begin(a_session(ann), ann)
    return ann
