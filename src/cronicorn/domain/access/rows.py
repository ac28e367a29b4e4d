"""Rows of API keys, members, sessions and the audit log, and what they mean."""

from collections.abc import Mapping

from cronicorn.domain.access.audit_entry import AuditEntry
from cronicorn.domain.access.member import Member, SignedIn, SignInLink
from cronicorn.domain.cells import Cell, Row, instant_in, instant_or_none, number_in, text_in, text_or_none
from cronicorn.domain.fields import document_in, json_text, us
from cronicorn.domain.permission import Permission, Role
from cronicorn.domain.principal import ActorKind
from cronicorn.domain.tenant import ApiKey


def key_row(key: ApiKey) -> Row:
    return {
        "id": key.id,
        "tenant_id": key.tenant_id,
        "prefix": key.prefix,
        "hash": key.hash,
        "created_us": us(key.created_at),
        "name": key.name,
        "role": key.role.value,
        "scopes": " ".join(sorted(key.scopes)) if key.scopes is not None else None,
        "runs_installation": int(key.runs_installation),
        "agent": int(key.agent),
        "rate": key.rate,
        "expires_us": us(key.expires_at),
        "used_us": us(key.used_at),
        "revoked_us": us(key.revoked_at),
    }


def key_of(row: Mapping[str, Cell]) -> ApiKey:
    """A key. Permissions that this version does not know are passed over: they allow nothing."""
    scopes = text_or_none(row["scopes"])
    return ApiKey(
        id=text_in(row["id"]),
        tenant_id=text_in(row["tenant_id"]),
        prefix=text_in(row["prefix"]),
        hash=text_in(row["hash"]),
        created_at=instant_in(row["created_us"]),
        name=text_in(row["name"]),
        role=Role(text_in(row["role"])),
        scopes=frozenset(each for each in Permission if each in scopes.split()) if scopes is not None else None,
        runs_installation=bool(row["runs_installation"]),
        agent=bool(row["agent"]),
        rate=number_in(row["rate"]) if row["rate"] is not None else None,
        expires_at=instant_or_none(row["expires_us"]),
        used_at=instant_or_none(row["used_us"]),
        revoked_at=instant_or_none(row["revoked_us"]),
    )


def member_row(member: Member) -> Row:
    return {
        "id": member.id,
        "tenant_id": member.tenant_id,
        "login": member.login,
        "role": member.role.value,
        "created_us": us(member.created_at),
        "runs_installation": int(member.runs_installation),
        "password": member.password,
        "password_us": us(member.password_at),
    }


def member_of(row: Mapping[str, Cell]) -> Member:
    return Member(
        id=text_in(row["id"]),
        tenant_id=text_in(row["tenant_id"]),
        login=text_in(row["login"]),
        role=Role(text_in(row["role"])),
        created_at=instant_in(row["created_us"]),
        runs_installation=bool(row["runs_installation"]),
        password=text_or_none(row["password"]),
        password_at=instant_or_none(row["password_us"]),
    )


def session_row(session: SignedIn) -> Row:
    return {
        "hash": session.hash,
        "member_id": session.member_id,
        "created_us": us(session.created_at),
        "seen_us": us(session.seen_at),
    }


def session_of(row: Mapping[str, Cell]) -> SignedIn:
    return SignedIn(
        hash=text_in(row["hash"]),
        member_id=text_in(row["member_id"]),
        created_at=instant_in(row["created_us"]),
        seen_at=instant_in(row["seen_us"]),
    )


def link_row(link: SignInLink) -> Row:
    return {"member_id": link.member_id, "hash": link.hash, "ends_us": us(link.ends_at)}


def link_of(row: Mapping[str, Cell]) -> SignInLink:
    return SignInLink(
        hash=text_in(row["hash"]),
        member_id=text_in(row["member_id"]),
        ends_at=instant_in(row["ends_us"]),
    )


def audit_row(entry: AuditEntry) -> Row:
    """The row of `audit_log`, but for its number."""
    return {
        "tenant_id": entry.tenant_id,
        "at_us": us(entry.at),
        "actor_kind": entry.actor_kind.value,
        "actor_id": entry.actor_id,
        "actor": entry.actor,
        "action": entry.action,
        "object_kind": entry.object_kind,
        "object_id": entry.object_id,
        "before": json_text(entry.before) if entry.before is not None else None,
        "after": json_text(entry.after) if entry.after is not None else None,
        "request_id": entry.request_id,
    }


def audit_entry_of(row: Mapping[str, Cell]) -> AuditEntry:
    before, after = text_or_none(row["before"]), text_or_none(row["after"])
    return AuditEntry(
        tenant_id=text_in(row["tenant_id"]),
        at=instant_in(row["at_us"]),
        actor_kind=ActorKind(text_in(row["actor_kind"])),
        actor_id=text_or_none(row["actor_id"]),
        actor=text_in(row["actor"]),
        action=text_in(row["action"]),
        object_kind=text_in(row["object_kind"]),
        object_id=text_in(row["object_id"]),
        before=document_in(before) if before is not None else None,
        after=document_in(after) if after is not None else None,
        request_id=text_or_none(row["request_id"]),
        number=number_in(row["number"]),
    )
