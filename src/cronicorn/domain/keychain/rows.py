"""Rows of keychains, and what they mean."""

from collections.abc import Mapping, Sequence

from cronicorn.domain.cells import Cell, Row, number_in
from cronicorn.domain.fields import Document, Fields, Value, document_in, json_text, lean, us
from cronicorn.domain.keychain.keychain import Keychain, Secret, SigningKey
from cronicorn.domain.keychain.ports import CHANGES_TOLD_MAX, KeychainChanges

CHANGES_READ = CHANGES_TOLD_MAX + 1
"""So many rows are read to tell what has changed."""


def keychain_row(keychain: Keychain) -> Row:
    """The row of `keychains`."""
    return {
        "tenant_id": keychain.tenant_id,
        "revision": keychain.revision,
        "document": json_text(_document(keychain)),
    }


def keychain_of(row: Mapping[str, Cell]) -> Keychain:
    """A keychain. Raises one of UNREADABLE."""
    tenant_id, document = row["tenant_id"], row["document"]
    assert isinstance(tenant_id, str)
    assert isinstance(document, str)
    fields = Fields(document_in(document))
    return Keychain(
        tenant_id=tenant_id,
        revision=number_in(row["revision"]),
        signing=tuple(_key_of(part) for part in fields.parts("signing")),
        secrets=tuple(_secret_of(part) for part in fields.parts("secrets")),
    )


def changes_of(rows: Sequence[Mapping[str, Cell]], since: int) -> KeychainChanges:
    """What CHANGES_READ *rows* of keychains above the revision *since* tell, the newest first."""
    told = frozenset(str(row["tenant_id"]) for row in rows) if len(rows) < CHANGES_READ else None
    return KeychainChanges(revision=number_in(rows[0]["revision"]) if rows else since, tenant_ids=told)


def _document(keychain: Keychain) -> Document:
    signing: list[Value] = [_key_document(key) for key in keychain.signing]
    secrets: list[Value] = [_secret_document(secret) for secret in keychain.secrets]
    return {"signing": signing, "secrets": secrets}


def _key_document(key: SigningKey) -> Value:
    return lean({
        "prefix": key.prefix,
        "created_us": us(key.created_at),
        "rotated_us": us(key.rotated_at),
        "until_us": us(key.until),
        "sealed": key.sealed,
    })  # fmt: skip


def _key_of(document: Mapping[str, Value]) -> SigningKey:
    fields = Fields(document)
    return SigningKey(
        prefix=fields.text("prefix"),
        created_at=fields.instant("created_us"),
        rotated_at=fields.instant_or_none("rotated_us"),
        until=fields.instant_or_none("until_us"),
        sealed=fields.text("sealed"),
    )


def _secret_document(secret: Secret) -> Value:
    return {
        "name": secret.name,
        "created_us": us(secret.created_at),
        "updated_us": us(secret.updated_at),
        "sealed": secret.sealed,
    }


def _secret_of(document: Mapping[str, Value]) -> Secret:
    fields = Fields(document)
    return Secret(
        name=fields.text("name"),
        created_at=fields.instant("created_us"),
        updated_at=fields.instant("updated_us"),
        sealed=fields.text("sealed"),
    )
