"""A vault for what is never stored: it refuses what the real one would, and makes no key."""

from cronicorn.domain.keychain.ports import Vault


class RehearsingVault(Vault):
    """Seals as another vault does, once that has a key."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    @property
    def ready(self) -> bool:
        return self._vault.ready

    def make_key(self) -> None:
        """Whoever really stores a first secret makes the first key."""

    def seal(self, plain: bytes, place: str) -> str:
        return self._vault.seal(plain, place) if self._vault.ready else ""

    def open(self, sealed: str, place: str) -> bytes:
        return self._vault.open(sealed, place)

    def rewrap(self, sealed: str, place: str) -> str:
        return self._vault.rewrap(sealed, place)
