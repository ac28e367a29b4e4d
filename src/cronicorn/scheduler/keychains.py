"""What a process knows of keychains: read once, opened once, and forgotten within seconds of a change elsewhere."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cronicorn.domain.errors import MasterKeyError, UnavailableError
from cronicorn.domain.keychain.keychain import Keychain, SigningKey, place_of_key, place_of_secret
from cronicorn.domain.keychain.ports import KeychainChanges, KeychainStore, Vault
from cronicorn.domain.keychain.signing import SigningSecret
from cronicorn.domain.ports import Clock

LOOK_EVERY = timedelta(seconds=2)
"""So often it is asked what has changed, by whoever comes next: one statement for all tenants."""
TRUSTED_FOR = timedelta(seconds=30)
"""What is known counts for so long after a look, if the store can't be asked; after that nothing is known."""
KNOWN_MAX = 10_000
"""Of so many tenants the keychains are kept. One more, and all are forgotten."""


@dataclass(frozen=True, slots=True)
class OpenKeychain:
    """A tenant's keychain, opened as far as it was needed."""

    keychain: Keychain
    vault: Vault
    _signing: dict[str, SigningSecret] = field(default_factory=dict, repr=False)
    _secrets: dict[str, str] = field(default_factory=dict, repr=False)

    def signing_secrets(self, now: datetime) -> list[SigningSecret]:
        """What calls made *now* are signed with, the newest first. Raises MasterKeyError."""
        return [self._opened(key) for key in self.keychain.signing_at(now)]

    def secrets(self, names: Collection[str]) -> dict[str, str]:
        """The texts of the secrets of these *names*; those that the tenant does not have are left out.

        Raises MasterKeyError.
        """
        for secret in self.keychain.secrets:
            if secret.name in names and secret.name not in self._secrets:
                opened = self.vault.open(secret.sealed, place_of_secret(self.keychain.tenant_id, secret.name))
                self._secrets[secret.name] = opened.decode("utf-8", "surrogatepass")
        return {name: self._secrets[name] for name in names if name in self._secrets}

    def _opened(self, key: SigningKey) -> SigningSecret:
        secret = self._signing.get(key.prefix)
        if secret is None:
            text = self.vault.open(key.sealed, place_of_key(self.keychain.tenant_id, key.prefix))
            try:
                secret = self._signing[key.prefix] = SigningSecret.of(text)
            except ValueError as error:
                raise MasterKeyError("What was sealed as a signing key is none; rotate the key.") from error
        return secret


class Keychains:
    """Gives keychains to whoever makes calls."""

    def __init__(self, store: KeychainStore, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._known: dict[str, OpenKeychain | None] = {}
        self._revision = 0
        self._look_at = 0.0
        self._trusted_until = 0.0
        self._changes = 0
        self._looking: asyncio.Future[None] | None = None

    async def of(self, tenant_id: str) -> OpenKeychain | None:
        """The tenant's keychain; None where nothing was ever kept in it.

        Raises UnavailableError when the store can't be asked, and what is known is too old or does not tell.
        """
        if self._clock.monotonic() >= self._look_at:
            await self._look()
        if not self._revision:
            return None  # Nobody has a keychain.
        try:
            return self._known[tenant_id]
        except KeyError:
            return await self._read(tenant_id)

    async def _look(self) -> None:
        """Ask once what has changed, whoever waits for it."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._forget_what_changed())
        await asyncio.shield(self._looking)  # Who no longer waits takes it from nobody else.

    async def _forget_what_changed(self) -> None:
        now = self._clock.monotonic()
        try:
            changes = await self._store.changed_since(self._revision)
        except UnavailableError:
            if now >= self._trusted_until:
                raise
        else:
            self._trusted_until = now + TRUSTED_FOR.total_seconds()
            self._forget(changes)
        self._look_at = now + LOOK_EVERY.total_seconds()

    def _forget(self, changes: KeychainChanges) -> None:
        if changes.revision == self._revision:
            return
        self._revision = changes.revision
        self._changes += 1
        if changes.tenant_ids is None:
            self._known.clear()
        else:
            for tenant_id in changes.tenant_ids:
                self._known.pop(tenant_id, None)

    async def _read(self, tenant_id: str) -> OpenKeychain | None:
        while True:
            changes = self._changes
            keychain = await self._store.get(tenant_id)
            if changes == self._changes:  # Otherwise it may be one of those that have changed.
                break
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        known = OpenKeychain(keychain, self._vault) if keychain.revision else None
        self._known[tenant_id] = known
        return known
