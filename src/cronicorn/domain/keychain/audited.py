"""What the audit log tells of keychains: which keys and secrets there are, and nothing that is secret. Pure."""

from datetime import datetime

from cronicorn.domain.access.audit_entry import AuditEntry, audited
from cronicorn.domain.fields import Document, Value, lean, us
from cronicorn.domain.keychain.keychain import Keychain
from cronicorn.domain.principal import Principal


def keychain_entry(by: Principal | None, at: datetime, before: Keychain, after: Keychain) -> AuditEntry | None:
    """The entry for what *by* made of a keychain."""
    return audited(by, at, ("keychain", after.tenant_id), _told(before), _told(after), mask=_without_sealed)


def _told(keychain: Keychain) -> Document:
    keys: list[Value] = [
        lean({"prefix": key.prefix, "until_us": us(key.until), "sealed": key.sealed}) for key in keychain.signing
    ]
    secrets: list[Value] = [
        {"name": secret.name, "updated_us": us(secret.updated_at), "sealed": secret.sealed}
        for secret in keychain.secrets
    ]
    return {"signing_keys": keys, "secrets": secrets}


def _without_sealed(document: Document) -> Document:
    return {name: _parts_without_sealed(parts) for name, parts in document.items()}


def _parts_without_sealed(parts: Value) -> Value:
    assert isinstance(parts, list)
    return [
        {name: value for name, value in part.items() if name != "sealed"} for part in parts if isinstance(part, dict)
    ]
