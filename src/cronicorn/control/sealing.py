"""Sealing what is to be kept secret, with a master key that is made when the first secret is, if nobody gave one."""

from dataclasses import dataclass

from cronicorn.domain.alert.ports import AlertingBook
from cronicorn.domain.errors import MasterKeyError
from cronicorn.domain.keychain.ports import KeychainStore, Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedPorts:
    """Everything in which something may be sealed."""

    keychains: KeychainStore
    alertings: AlertingBook

    async def any_sealed(self) -> bool:
        """Whether anything is. Raises UnavailableError."""
        if (await self.keychains.changed_since(0)).revision:
            return True
        kept = (await self.alertings.all()).values()
        return any(route.sealed is not None for alerting in kept for route in alerting.routes)


class Sealer:
    """Seals values for a store."""

    def __init__(self, ports: SealedPorts, vault: Vault) -> None:
        self._ports = ports
        self._vault = vault

    @property
    def vault(self) -> Vault:
        """Opens what was sealed."""
        return self._vault

    async def seal(self, plain: bytes, place: str, *, may_make_key: bool = True) -> str:
        """*plain* as it may be stored in *place*. Raises MasterKeyError when there is no key to seal with.

        A first key is made only where it *may* be, and for a store in which nothing is sealed: where something is, its
        key has been lost or is with somebody else, and a second one would hide that.
        """
        if not self._vault.ready:
            if await self._ports.any_sealed():
                raise MasterKeyError(
                    "The master key that this installation's secrets are sealed with is not here: set "
                    "CRONICORN_MASTER_KEY_FILE to the file that holds it."
                )
            if not may_make_key:
                raise MasterKeyError(
                    "No master key is here: set CRONICORN_MASTER_KEY_FILE to a file that holds one "
                    "(`cronicorn master-key new`), the same for all processes."
                )
            self._vault.make_key()
        return self._vault.seal(plain, place)
