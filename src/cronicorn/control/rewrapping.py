"""Sealing with the present master key what an older one sealed."""

from dataclasses import replace

from cronicorn.control.permissions import operation
from cronicorn.domain.alert.alerting import Alerting
from cronicorn.domain.alert.ports import AlertingBook
from cronicorn.domain.alert.targets import rewrapped_routes
from cronicorn.domain.errors import ForbiddenError
from cronicorn.domain.keychain.keychain import Keychain, place_of_key, place_of_secret
from cronicorn.domain.keychain.ports import KeychainStore, Vault
from cronicorn.domain.permission import Operation
from cronicorn.domain.principal import ActorKind, Principal


class Rewrapping:
    """Changes master keys. What they sealed stays sealed: only the keys of the envelopes are wrapped anew."""

    def __init__(self, store: KeychainStore, alertings: AlertingBook, vault: Vault) -> None:
        self._store = store
        self._alertings = alertings
        self._vault = vault

    @operation(Operation.MASTER_KEY_REWRAP)
    async def rewrap(self, principal: Principal) -> int:
        """Seal what the tenant keeps secret with the first master key; answer how much of it an older one had sealed.

        Only for a person at the machine: raises ForbiddenError for anybody else. Raises UnavailableError when a
        master key is missing; what this tenant keeps in the same place is not changed then.
        """
        if principal.kind is not ActorKind.LOCAL:
            raise ForbiddenError("Master keys are changed on the machine itself: `cronicorn master-key rewrap`.")
        count = 0

        def edit(keychain: Keychain) -> Keychain:
            nonlocal count
            wrapped = self._rewrapped(keychain)
            before, after = (*keychain.signing, *keychain.secrets), (*wrapped.signing, *wrapped.secrets)
            count = sum(old != new for old, new in zip(before, after, strict=True))
            return wrapped

        await self._store.change(principal.tenant_id, edit, principal)
        return count + await self._rewrap_routes(principal)

    async def _rewrap_routes(self, principal: Principal) -> int:
        """The same of the URLs that messages go to. Nothing is written where all of them are as they should be."""
        tenant_id = principal.tenant_id

        def edit(alerting: Alerting) -> Alerting:
            return rewrapped_routes(alerting, tenant_id, self._vault)

        before = await self._alertings.get(tenant_id)
        wrapped = edit(before)
        if wrapped != before:
            await self._alertings.change(tenant_id, edit, principal)
        return sum(old != new for old, new in zip(before.routes, wrapped.routes, strict=True))

    def _rewrapped(self, keychain: Keychain) -> Keychain:
        tenant_id, rewrap = keychain.tenant_id, self._vault.rewrap
        return replace(
            keychain,
            signing=tuple(
                replace(key, sealed=rewrap(key.sealed, place_of_key(tenant_id, key.prefix))) for key in keychain.signing
            ),
            secrets=tuple(
                replace(secret, sealed=rewrap(secret.sealed, place_of_secret(tenant_id, secret.name)))
                for secret in keychain.secrets
            ),
        )
