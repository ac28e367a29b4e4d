"""Rows of API keys, and what they mean."""

from collections.abc import Mapping

from cronicorn.domain.cells import Cell, Row, number_in, text_in, text_or_none
from cronicorn.domain.fields import us
from cronicorn.domain.instant import instant_of
from cronicorn.domain.permission import Permission, Role
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
        created_at=instant_of(number_in(row["created_us"])),
        name=text_in(row["name"]),
        role=Role(text_in(row["role"])),
        scopes=frozenset(each for each in Permission if each in scopes.split()) if scopes is not None else None,
        runs_installation=bool(row["runs_installation"]),
        agent=bool(row["agent"]),
        rate=number_in(row["rate"]) if row["rate"] is not None else None,
        expires_at=instant_of(number_in(row["expires_us"])) if row["expires_us"] is not None else None,
        used_at=instant_of(number_in(row["used_us"])) if row["used_us"] is not None else None,
        revoked_at=instant_of(number_in(row["revoked_us"])) if row["revoked_us"] is not None else None,
    )
