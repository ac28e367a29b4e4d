"""Secrets of tenants: set, listed by name, removed, and never shown."""

from collections.abc import Sequence

from cronicorn.control.document import SecretDocument
from cronicorn.control.findings import refused
from cronicorn.control.permissions import operation
from cronicorn.control.sealing import Sealer
from cronicorn.domain.keychain.keychain import Secret, place_of_secret, with_secret, without_secret
from cronicorn.domain.keychain.ports import KeychainStore
from cronicorn.domain.permission import Operation
from cronicorn.domain.ports import Clock
from cronicorn.domain.principal import Principal
from cronicorn.domain.secret_references import SECRET_LENGTH_MAX, SECRET_LENGTH_MIN, SECRET_NAME


class Secrets:
    """What can be asked about the secrets of a tenant. Calls use within seconds what is said here."""

    def __init__(self, store: KeychainStore, sealer: Sealer, clock: Clock) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock

    @operation(Operation.SECRET_SET)
    async def set(self, principal: Principal, name: str, document: SecretDocument) -> Secret:
        """Keep a text under *name*, in the place of the one before. It can't be read again.

        Raises InvalidInputError, whose message holds nothing of the text; ConflictError where there are too many
        secrets; UnavailableError when it can't be sealed.
        """
        _check_name(name)
        value = document.value
        if not SECRET_LENGTH_MIN <= len(value) <= SECRET_LENGTH_MAX or "\0" in value:
            raise refused(
                "/value",
                f"Must be a text of {SECRET_LENGTH_MIN} to {SECRET_LENGTH_MAX} characters: a shorter one could be "
                "guessed, and could not be told from other text in answers.",
            )
        now = self._clock.now()
        sealed = await self._sealer.seal(
            value.encode("utf-8", "surrogatepass"), place_of_secret(principal.tenant_id, name)
        )
        made = Secret(name=name, created_at=now, updated_at=now, sealed=sealed)
        kept = await self._store.change(principal.tenant_id, lambda keychain: with_secret(keychain, made), principal)
        return next(each for each in kept.secrets if each.name == name)

    @operation(Operation.SECRET_LIST)
    async def list(self, principal: Principal) -> Sequence[Secret]:
        """The tenant's secrets, by name, without their texts."""
        return (await self._store.get(principal.tenant_id)).secrets

    @operation(Operation.SECRET_REMOVE)
    async def remove(self, principal: Principal, name: str) -> None:
        """Forget a secret. Calls of requests that still name it are not made. Raises NotFoundError."""
        await self._store.change(principal.tenant_id, lambda keychain: without_secret(keychain, name), principal)


def _check_name(name: str) -> None:
    if SECRET_NAME.fullmatch(name) is None:
        raise refused("/name", "A secret's name has 1 to 64 letters, digits, _ and -, and begins with a letter.")
