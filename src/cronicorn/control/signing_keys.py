"""The keys that sign a tenant's calls: shown once, when they are made, and sealed from then on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from cronicorn.control.findings import refused
from cronicorn.control.permissions import operation
from cronicorn.control.sealing import Sealer
from cronicorn.domain.instant import ZERO
from cronicorn.domain.keychain.keychain import (
    OVERLAP_MAX,
    SigningKey,
    first_key,
    overlap_ended,
    place_of_key,
    rotated,
    unsigned,
)
from cronicorn.domain.keychain.ports import KeychainStore
from cronicorn.domain.keychain.signing import KEY_PREFIX_LENGTH, signing_key_text
from cronicorn.domain.permission import Operation
from cronicorn.domain.ports import Clock
from cronicorn.domain.principal import Principal

OVERLAP_DEFAULT = timedelta(hours=24)
"""For so long the key before goes on signing, unless who rotates says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSigningKey:
    """A signing key that nobody can read again."""

    text: str = field(repr=False)
    key: SigningKey


class SigningKeys:
    """What can be asked about the signing keys of a tenant. Calls are signed within seconds as is said here."""

    def __init__(self, store: KeychainStore, sealer: Sealer, clock: Clock, new_key: Callable[[], bytes]) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._new_key = new_key

    @operation(Operation.SIGNING_KEY_SHOW)
    async def show(self, principal: Principal) -> tuple[SigningKey, ...]:
        """The keys that sign now, the newest first, or none."""
        return (await self._store.get(principal.tenant_id)).signing_at(self._clock.now())

    @operation(Operation.SIGNING_KEY_CREATE)
    async def create(self, principal: Principal) -> NewSigningKey:
        """Make the first key. Raises ConflictError when there is one, UnavailableError when it can't be sealed."""
        made = await self._made(principal)
        await self._store.change(principal.tenant_id, lambda keychain: first_key(keychain, made.key), principal)
        return made

    @operation(Operation.SIGNING_KEY_ROTATE)
    async def rotate(self, principal: Principal, overlap: timedelta = OVERLAP_DEFAULT) -> NewSigningKey:
        """Make a key that takes the place of the newest, which goes on signing for *overlap*; with 0 all older end.

        Raises NotFoundError when there is none, InvalidInputError for an overlap under 0 or over OVERLAP_MAX,
        ConflictError when too many overlap, UnavailableError when the key can't be sealed.
        """
        if not ZERO <= overlap <= OVERLAP_MAX:
            raise refused("/overlapMs", f"An overlap lasts from 0 to {OVERLAP_MAX.days} days.")
        made = await self._made(principal)
        now = self._clock.now()
        kept = await self._store.change(
            principal.tenant_id, lambda keychain: rotated(keychain, made.key, now, overlap), principal
        )
        assert kept.newest is not None
        return NewSigningKey(text=made.text, key=kept.newest)

    @operation(Operation.SIGNING_KEY_END_OVERLAP)
    async def end_overlap(self, principal: Principal) -> None:
        """Let only the newest key sign from now on. Raises NotFoundError when there is none."""
        await self._store.change(principal.tenant_id, overlap_ended, principal)

    @operation(Operation.SIGNING_KEY_REMOVE)
    async def remove(self, principal: Principal) -> None:
        """Sign no more calls. Raises NotFoundError when none are signed."""
        await self._store.change(principal.tenant_id, unsigned, principal)

    async def _made(self, principal: Principal) -> NewSigningKey:
        text = signing_key_text(self._new_key())
        prefix = text[:KEY_PREFIX_LENGTH]
        sealed = await self._sealer.seal(text.encode(), place_of_key(principal.tenant_id, prefix))
        return NewSigningKey(text=text, key=SigningKey(prefix=prefix, created_at=self._clock.now(), sealed=sealed))
