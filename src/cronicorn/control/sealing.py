"""Sealing what is to be kept secret, with a master key that is made when the first secret is, if nobody gave one."""

from cronicorn.domain.errors import MasterKeyError
from cronicorn.domain.keychain.ports import KeychainStore, Vault


class Sealer:
    """Seals values for a store."""

    def __init__(self, store: KeychainStore, vault: Vault) -> None:
        self._store = store
        self._vault = vault

    async def seal(self, plain: bytes, place: str) -> str:
        """*plain* as it may be stored in *place*. Raises MasterKeyError when there is no key to seal with.

        A first key is made only for a store in which nothing is sealed: where something is, its key has been lost or is
        with somebody else, and a second one would hide that.
        """
        if not self._vault.ready:
            if (await self._store.changed_since(0)).revision:
                raise MasterKeyError(
                    "The master key that this installation's secrets are sealed with is not here: set "
                    "CRONICORN_MASTER_KEY_FILE to the file that holds it."
                )
            self._vault.make_key()
        return self._vault.seal(plain, place)
