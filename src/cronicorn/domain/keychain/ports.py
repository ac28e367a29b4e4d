"""The ports of keychains. What holds of the others in `cronicorn.domain.ports` holds of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cronicorn.domain.keychain.keychain import Keychain
from cronicorn.domain.principal import Principal

CHANGES_TOLD_MAX = 1_000
"""Where more keychains have changed, it is not said which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeychainChanges:
    """What has been written to keychains since a revision."""

    revision: int
    """The newest of all; the one that was asked about when nothing was written since."""
    tenant_ids: frozenset[str] | None
    """Whose keychains have changed; None when they are more than CHANGES_TOLD_MAX."""


class KeychainStore(Protocol):
    """Keychains, by tenant. What is secret in them is sealed."""

    async def get(self, tenant_id: str) -> Keychain:
        """The tenant's keychain; an empty one when nothing was ever kept."""
        ...

    async def change(
        self, tenant_id: str, edit: Callable[[Keychain], Keychain], by: Principal | None = None
    ) -> Keychain:
        """Store what *edit* makes of the keychain as it is now, under a new revision, and answer that.

        What *edit* leaves as it is isn't written. Nothing is when it raises. It may be called more than once.
        """
        ...

    async def changed_since(self, revision: int) -> KeychainChanges:
        """What has changed since *revision*. Who has seen the answer has missed nothing that was written before it."""
        ...


class Vault(Protocol):
    """Seals what nobody shall read who has the store alone. Without I/O but for the first use of a key."""

    @property
    def ready(self) -> bool:
        """Whether there is a master key to seal with. Raises MasterKeyError when it can't be told."""
        ...

    def make_key(self) -> None:
        """Make the first master key. Raises MasterKeyError where that is the owner's business."""
        ...

    def seal(self, plain: bytes, place: str) -> str:
        """*plain* as it may be stored in *place*, and opened nowhere else. Raises MasterKeyError."""
        ...

    def open(self, sealed: str, place: str) -> bytes:
        """What was sealed for *place*. Raises MasterKeyError, which names the key that is lacking."""
        ...

    def rewrap(self, sealed: str, place: str) -> str:
        """The same under the master key that seals now, or as it is where it is so already. Raises MasterKeyError."""
        ...
