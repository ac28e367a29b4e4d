"""What the audit log tells of keychains: which keys there are, and nothing that is secret. Pure."""

from datetime import datetime

from cronicorn.domain.access.audit_entry import AuditEntry, audited
from cronicorn.domain.fields import Document, Value, lean, us
from cronicorn.domain.keychain.keychain import Keychain
from cronicorn.domain.principal import Principal


def keychain_entry(by: Principal | None, at: datetime, before: Keychain, after: Keychain) -> AuditEntry | None:
    """The entry for what *by* made of a keychain."""
    return audited(by, at, ("keychain", after.tenant_id), _told(before), _told(after))


def _told(keychain: Keychain) -> Document:
    signing: list[Value] = [lean({"prefix": key.prefix, "until_us": us(key.until)}) for key in keychain.signing]
    return {"signing_keys": signing}
