"""Signing in: sessions, passwords and attempts."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cronicorn.control.accounts import ATTEMPTS_OF_ACCOUNT, ATTEMPTS_OF_ADDRESS, PasswordDocument, SignInDocument
from cronicorn.control.members import MemberDocument, MemberPatch
from cronicorn.domain.access.audit_entry import AuditQuery
from cronicorn.domain.access.member import LINK_LIFE, SESSION_IDLE_MAX, SESSION_LIFE_MAX
from cronicorn.domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    RateExceededError,
    UnauthenticatedError,
)
from cronicorn.domain.permission import GRANTED, Permission, Role
from cronicorn.domain.principal import ActorKind, Principal
from tests.control.world import LOCAL, World, a_world

ADDRESS = "203.0.113.7"


async def opened() -> tuple[World, str]:
    """A new installation, and the password of its owner."""
    world = a_world()
    first = await world.control.tenants.bootstrap(None)
    assert first is not None
    return world, first.password


async def sign_in(world: World, password: str, login: str = "owner", address: str = ADDRESS) -> tuple[Principal, str]:
    document = SignInDocument.model_validate({"login": login, "password": password})
    session = await world.control.accounts.sign_in(document, address, "req_1")
    return session.principal, session.token


async def test_the_first_start_makes_an_owner_who_runs_the_installation() -> None:
    world, password = await opened()

    principal, token = await sign_in(world, password, " Owner ".strip())
    again = (await world.control.admittance.by_session(token, "req_2")).principal

    assert await world.control.tenants.bootstrap(None) is None
    assert principal.permissions == GRANTED[Role.OWNER] | {Permission.TENANTS_WRITE}
    assert (principal.kind, principal.actor, principal.request_id) == (ActorKind.USER, "owner", "req_1")
    assert again == replace(principal, request_id="req_2")


async def test_where_a_key_is_given_the_owner_has_no_password_until_one_is_made() -> None:
    world = a_world()
    assert await world.control.tenants.bootstrap("a-long-random-word") is None
    (owner,) = world.stores.database.members.values()

    assert owner.password is None
    local = replace(LOCAL, tenant_id=owner.tenant_id)
    made = await world.control.members.reset_password(local, owner.id)
    await sign_in(world, made.password)


@pytest.mark.parametrize(("login", "password"), [("owner", "wrong"), ("nobody", "wrong"), ("owner\x00", "wrong")])
async def test_a_wrong_login_and_a_wrong_password_are_told_alike(login: str, password: str) -> None:
    world, _ = await opened()

    with pytest.raises(UnauthenticatedError if "\x00" not in login else InvalidInputError) as refused:
        await sign_in(world, password, login)

    if "\x00" not in login:
        assert str(refused.value) == "The login or the password is wrong."


async def test_attempts_for_one_account_are_counted_wherever_they_come_from() -> None:
    world, password = await opened()
    for number in range(ATTEMPTS_OF_ACCOUNT.limit):
        with pytest.raises(UnauthenticatedError):
            await sign_in(world, "wrong", address=f"203.0.113.{number}")

    with pytest.raises(RateExceededError) as refused:
        await sign_in(world, password, address="198.51.100.1")
    world.clock.move(seconds=refused.value.standing.retry_after.total_seconds())
    await sign_in(world, password)


@pytest.mark.parametrize(
    "address",
    ["2001:db8:0:7:{0:x}::{0:x}", "2001:DB8::7:{0:x}:0:0:1%eth{0}", "::ffff:203.0.113.7"],
    ids=["one network", "zones", "mapped"],
)
async def test_attempts_from_one_network_of_ipv6_are_counted_together(address: str) -> None:
    world, password = await opened()
    for number in range(ATTEMPTS_OF_ADDRESS.limit):
        with pytest.raises(UnauthenticatedError):
            await sign_in(world, "wrong", login=f"login{number}", address=address.format(number))

    with pytest.raises(RateExceededError):
        await sign_in(world, password, address=address.format(4_711))
    await sign_in(world, password, address="2001:db8:0:8::1")


async def test_attempts_from_one_address_are_counted_for_whatever_account() -> None:
    world, password = await opened()
    for number in range(ATTEMPTS_OF_ADDRESS.limit):
        with pytest.raises(UnauthenticatedError):
            await sign_in(world, "wrong", f"nobody{number}")

    with pytest.raises(RateExceededError):
        await sign_in(world, password)
    await sign_in(world, password, address="198.51.100.1")


async def test_who_signs_in_is_not_held_to_the_attempts_before() -> None:
    world, password = await opened()
    for _ in range(ATTEMPTS_OF_ACCOUNT.limit - 1):
        with pytest.raises(UnauthenticatedError):
            await sign_in(world, "wrong")

    await sign_in(world, password)
    for _ in range(ATTEMPTS_OF_ACCOUNT.limit):
        with pytest.raises(UnauthenticatedError):
            await sign_in(world, "wrong")


async def test_each_sign_in_begins_another_session_and_only_a_hash_of_it_is_kept() -> None:
    world, password = await opened()

    (_, one), (_, two) = await sign_in(world, password), await sign_in(world, password)

    assert one != two
    assert one not in repr(world.stores.database.signed_in)
    assert len(one) > 64


@pytest.mark.parametrize(("steps", "step"), [(1, SESSION_IDLE_MAX), (17, timedelta(hours=10))])
async def test_a_session_ends_when_it_is_not_used_and_at_last_in_any_case(steps: int, step: timedelta) -> None:
    world, password = await opened()
    _, token = await sign_in(world, password)
    assert steps == 1 or steps * step > SESSION_LIFE_MAX > (steps - 1) * step

    for _ in range(steps - 1):
        world.clock.move(seconds=step.total_seconds())
        await world.control.admittance.by_session(token)
    world.clock.move(seconds=step.total_seconds())

    with pytest.raises(UnauthenticatedError):
        await world.control.admittance.by_session(token)


@pytest.mark.parametrize("token", ["", "cs_unknown", "x" * 10_000, "cs_\x00", "é"])
async def test_an_unknown_session_opens_nothing(token: str) -> None:
    world, _ = await opened()

    with pytest.raises(UnauthenticatedError):
        await world.control.admittance.by_session(token)


async def test_signing_out_ends_one_session_and_everywhere_all_of_them() -> None:
    world, password = await opened()
    tokens = [(await sign_in(world, password))[1] for _ in range(3)]
    principal, _ = await sign_in(world, password)

    await world.control.accounts.sign_out(principal, tokens[0])
    with pytest.raises(UnauthenticatedError):
        await world.control.admittance.by_session(tokens[0])
    await world.control.admittance.by_session(tokens[1])
    await world.control.accounts.sign_out_everywhere(principal)

    assert not world.stores.database.signed_in


async def test_another_password_ends_all_sessions_but_the_one_that_it_begins() -> None:
    world, password = await opened()
    principal, token = await sign_in(world, password)
    document = PasswordDocument.model_validate({"password": password, "newPassword": "correct horse battery"})

    session = await world.control.accounts.change_password(principal, document)

    await world.control.admittance.by_session(session.token)
    with pytest.raises(UnauthenticatedError):
        await world.control.admittance.by_session(token)
    with pytest.raises(UnauthenticatedError):
        await sign_in(world, password)
    await sign_in(world, "correct horse battery")


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"password": "wrong", "newPassword": "correct horse battery"}, "/password"),
        ({"newPassword": "short"}, "/newPassword"),
        ({"newPassword": "x" * 257}, "/newPassword"),
        ({"newPassword": None}, "/newPassword"),
    ],
)
async def test_a_bad_new_password_is_told_by_field(given: dict[str, Any], pointer: str) -> None:
    world, password = await opened()
    principal, token = await sign_in(world, password)
    document = PasswordDocument.model_validate({"password": password} | given)

    with pytest.raises(InvalidInputError) as refused:
        await world.control.accounts.change_password(principal, document)

    assert refused.value.fields[0].pointer == pointer
    await world.control.admittance.by_session(token)


async def test_a_key_has_no_password_and_no_sessions() -> None:
    world, _ = await opened()
    key = Principal(tenant_id="t1", actor="an API key", permissions=frozenset(), actor_id="key_1")

    with pytest.raises(ConflictError):
        await world.control.accounts.sign_out_everywhere(key)
    with pytest.raises(ConflictError):
        await world.control.accounts.change_password(key, PasswordDocument())


async def test_nobody_gives_or_takes_more_than_they_may_do_themselves() -> None:
    world, password = await opened()
    runner, _ = await sign_in(world, password)
    members = world.control.members
    made = await members.add(runner, MemberDocument.model_validate({"login": "Ann@Example.org", "role": "owner"}))
    ann, _ = await sign_in(world, made.password, "ann@example.org")
    assert runner.actor_id is not None

    for attempt in (
        members.add(ann, MemberDocument.model_validate({"login": "bob", "role": "owner", "runsInstallation": True})),
        members.edit(ann, runner.actor_id, MemberPatch(role=Role.VIEWER)),
        members.reset_password(ann, runner.actor_id),
        members.remove(ann, runner.actor_id),
        members.edit(ann, made.member.id, MemberPatch.model_validate({"runsInstallation": True})),
    ):
        with pytest.raises(ForbiddenError):
            await attempt
    confined = replace(ann, permissions=frozenset({Permission.MEMBERS_WRITE}))
    with pytest.raises(ForbiddenError):
        await members.add(confined, MemberDocument.model_validate({"login": "bob", "role": "viewer"}))


async def test_another_role_counts_at_once() -> None:
    world, password = await opened()
    runner, _ = await sign_in(world, password)
    made = await world.control.members.add(runner, MemberDocument.model_validate({"login": "ann", "role": "editor"}))
    _, token = await sign_in(world, made.password, "ann")

    await world.control.members.edit(runner, made.member.id, MemberPatch(role=Role.VIEWER))

    with pytest.raises(UnauthenticatedError):
        await world.control.admittance.by_session(token)
    ann, _ = await sign_in(world, made.password, "ann")
    assert ann.permissions == GRANTED[Role.VIEWER]


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"login": "a b"}, "/login"),
        ({"login": ""}, "/login"),
        ({"login": None}, "/login"),
        ({"login": "x" * 255}, "/login"),
        ({"login": "a\u00a0b"}, "/login"),
        ({"login": "a\x7fb"}, "/login"),
        ({"role": None}, "/role"),
        ({"runsInstallation": True}, "/runsInstallation"),
    ],
)
async def test_what_no_member_can_be_is_told_by_field(given: dict[str, Any], pointer: str) -> None:
    world, password = await opened()
    runner, _ = await sign_in(world, password)
    document = MemberDocument.model_validate({"login": "ann", "role": "editor"} | given)

    with pytest.raises(InvalidInputError) as refused:
        await world.control.members.add(runner, document)

    assert [fault.pointer for fault in refused.value.fields] == [pointer]


async def test_the_audit_log_says_who_signed_in_and_who_made_whom_what() -> None:
    world, password = await opened()
    runner, _ = await sign_in(world, password)
    made = await world.control.members.add(runner, MemberDocument.model_validate({"login": "ann", "role": "editor"}))
    await world.control.members.remove(runner, made.member.id)

    entries = await world.control.audit.list(runner, AuditQuery(limit=10))

    assert [entry.action for entry in entries] == ["member.remove", "member.add", "account.sign_in"]
    assert {entry.actor_id for entry in entries} == {runner.actor_id}
    assert made.password not in repr(entries)
    assert password not in repr(entries)


async def offered(world: World) -> str:
    """The token of a new link of the owner."""
    (owner,) = world.stores.database.members.values()
    made = await world.control.members.offer_link(replace(LOCAL, tenant_id=owner.tenant_id), owner.id)
    return made.token


async def by_link(world: World, token: str, address: str = ADDRESS) -> Principal:
    document = SignInDocument.model_validate({"token": token})
    return (await world.control.accounts.sign_in(document, address, "req_1")).principal


async def test_a_link_signs_in_once_and_leaves_the_password() -> None:
    world, password = await opened()
    token = await offered(world)

    entered = await by_link(world, token)
    with pytest.raises(UnauthenticatedError, match="signs in once"):
        await by_link(world, token)
    again, _ = await sign_in(world, password)

    assert entered == again
    assert token not in repr(world.stores.database.__dict__)


async def test_a_member_without_a_password_comes_in_by_a_link() -> None:
    world = a_world()
    await world.control.tenants.bootstrap("a-long-random-word")

    owner = await by_link(world, await offered(world))
    document = PasswordDocument.model_validate({"password": "x", "newPassword": "correct horse battery"})
    with pytest.raises(InvalidInputError, match="reset-password"):
        await world.control.accounts.change_password(owner, document)

    assert owner.actor == "owner"


async def test_a_link_that_nobody_made_and_one_that_ended_are_told_alike_and_counted() -> None:
    world, _ = await opened()
    token = await offered(world)
    world.clock.move(seconds=LINK_LIFE.total_seconds())

    told = set()
    for number in range(ATTEMPTS_OF_ADDRESS.limit):
        with pytest.raises(UnauthenticatedError) as refused:
            await by_link(world, token if number % 2 else f"cl_{number:064x}")
        told.add(str(refused.value))
    with pytest.raises(RateExceededError):
        await by_link(world, await offered(world))

    assert len(told) == 1
    await by_link(world, await offered(world), address="198.51.100.1")


async def test_nobody_makes_a_link_of_a_member_who_may_do_more() -> None:
    world, _ = await opened()
    (owner,) = world.stores.database.members.values()
    lesser = Principal(tenant_id=owner.tenant_id, actor="ann", permissions=GRANTED[Role.OWNER])

    with pytest.raises(ForbiddenError, match="tenants:write"):
        await world.control.members.offer_link(lesser, owner.id)
    with pytest.raises(NotFoundError):
        await world.control.members.offer_link(replace(LOCAL, tenant_id="another"), owner.id)


@pytest.mark.parametrize(
    "fields",
    [
        {"token": None},
        {"token": ""},
        {"token": "x" * 257},
        {"token": "x\x00"},
        {"token": "x", "login": "owner", "password": "y"},
        {"token": "x", "login": None},
    ],
)
async def test_a_token_comes_alone(fields: dict[str, Any]) -> None:
    world, _ = await opened()

    with pytest.raises(InvalidInputError, match="/token"):
        await world.control.accounts.sign_in(SignInDocument.model_validate(fields), ADDRESS)
