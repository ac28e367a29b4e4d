"""A tenant's keychain, and what may be done with it. Pure: what is secret in it is sealed before it gets here."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cronicorn.domain.errors import ConflictError, NotFoundError

OVERLAP_MAX = timedelta(days=30)
"""For so long an older key may go on signing at most."""
OVERLAPPING_MAX = 4
"""So many older keys may sign beside the newest: each costs a signature for each call."""
SECRETS_MAX = 200
"""So many secrets a tenant may have: a process opens them one by one, but reads them together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A key that signs a tenant's calls."""

    prefix: str
    """What a person knows the key by; no other key of the tenant has the same."""
    created_at: datetime
    """When the tenant's first key was made; those that took its place keep this."""
    rotated_at: datetime | None = None
    """When the key took the place of another."""
    until: datetime | None = None
    """When the key ends, which another has taken the place of; None for the newest."""
    sealed: str = field(repr=False)

    def signs(self, now: datetime) -> bool:
        """Whether calls are signed with it."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A text that a tenant's requests name, and nobody reads again."""

    name: str
    created_at: datetime
    updated_at: datetime
    """When it was last set."""
    sealed: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keychain:
    """All that one tenant keeps secret."""

    tenant_id: str
    revision: int = 0
    """Higher than that of every keychain written before; 0 of one that was never written."""
    signing: tuple[SigningKey, ...] = ()
    """The newest first, then those that it took the place of."""
    secrets: tuple[Secret, ...] = ()
    """By name."""

    @property
    def newest(self) -> SigningKey | None:
        """The key that signs until it is rotated; None where calls are not signed."""
        return self.signing[0] if self.signing else None

    def signing_at(self, now: datetime) -> tuple[SigningKey, ...]:
        """The keys that sign a call made *now*, the newest first."""
        return tuple(key for key in self.signing if key.signs(now))


def with_secret(keychain: Keychain, secret: Secret) -> Keychain:
    """*keychain* with *secret*, in the place of one of its name. Raises ConflictError when there are too many."""
    others = {each.name: each for each in keychain.secrets}
    before = others.pop(secret.name, None)
    if len(others) >= SECRETS_MAX:
        raise ConflictError(f"There are {SECRETS_MAX} secrets already, the most there may be; remove one.")
    kept = secret if before is None else replace(secret, created_at=before.created_at)
    return replace(keychain, secrets=tuple(sorted((*others.values(), kept), key=lambda each: each.name)))


def without_secret(keychain: Keychain, name: str) -> Keychain:
    """*keychain* without the secret of this *name*. Raises NotFoundError when it has none."""
    kept = tuple(each for each in keychain.secrets if each.name != name)
    if len(kept) == len(keychain.secrets):
        raise NotFoundError(f"There is no secret {name}.")
    return replace(keychain, secrets=kept)


def first_key(keychain: Keychain, key: SigningKey) -> Keychain:
    """*keychain* with its first signing *key*. Raises ConflictError when it has one."""
    if keychain.newest is not None:
        raise ConflictError("There is a signing key already; rotate it to get a new one.")
    return replace(keychain, signing=(key,))


def rotated(keychain: Keychain, key: SigningKey, now: datetime, overlap: timedelta) -> Keychain:
    """*keychain* with *key* in the place of its newest, which goes on signing for *overlap*; without one all end now.

    Raises NotFoundError when there is none, ConflictError when too many would sign at once.
    """
    newest = _newest(keychain)
    made = replace(key, created_at=newest.created_at, rotated_at=now)
    if not overlap:
        return replace(keychain, signing=(made,))
    older = (replace(newest, until=now + overlap), *keychain.signing_at(now)[1:])
    if len(older) > OVERLAPPING_MAX:
        raise ConflictError(
            f"{OVERLAPPING_MAX} older signing keys overlap already; end the overlap, or rotate with an overlap of 0."
        )
    return replace(keychain, signing=(made, *older))


def overlap_ended(keychain: Keychain) -> Keychain:
    """*keychain* with its newest signing key alone. Raises NotFoundError when there is none."""
    return replace(keychain, signing=(_newest(keychain),))


def unsigned(keychain: Keychain) -> Keychain:
    """*keychain* without signing keys. Raises NotFoundError when there is none."""
    _newest(keychain)
    return replace(keychain, signing=())


def place_of_key(tenant_id: str, prefix: str) -> str:
    """What a signing key is bound to when it is sealed: it can't be opened in another's place."""
    return f"{tenant_id}/signing-key/{prefix}"


def place_of_secret(tenant_id: str, name: str) -> str:
    """What a secret is bound to when it is sealed."""
    return f"{tenant_id}/secret/{name}"


def _newest(keychain: Keychain) -> SigningKey:
    if keychain.newest is None:
        raise NotFoundError("There is no signing key; create one.")
    return keychain.newest
