"""Claims kept by a lock service beside the database: who may try to run an endpoint, until when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a claimant asks a service for, and shows it later."""

    key: str
    """What is claimed: the id of an endpoint."""
    claim_id: str
    """Who claims it: random, 32 hexadecimal digits, one for each claim."""


class ClaimService(Protocol):
    """Keeps a key for one claimant at a time, by its own clock.

    It only says who goes first. What a claimant writes afterwards is fenced by the database, so a service that forgets
    or doubts costs calls, never records. All but `aclose` raise UnavailableError within the service's time limit.
    """

    async def acquire(self, claims: Sequence[Claim], *, ttl: timedelta) -> Mapping[str, int]:
        """Take those of *claims* whose key nobody holds, for *ttl* from now; answer a token of each by claim id.

        *claims* name different keys. Tokens of a key grow as long as the service keeps its data. Asking again for what
        the same claim took is answered like the first time, with a token maybe higher. After an error some keys may be
        taken all the same; they expire.
        """
        ...

    def renew(self, claims: Sequence[Claim], *, ttl: timedelta) -> frozenset[str]:
        """Keep *claims* for *ttl* from now, the ttl they were acquired with, and answer the ids of those still held.

        Blocks, as `revive` does: both are called from a thread of their own and share no connection with the event
        loop. What has expired or was taken by another claim stays lost.
        """
        ...

    def revive(self, claims: Sequence[Claim], *, ttl: timedelta) -> frozenset[str]:
        """Do what `acquire` does, for claims that the service lost and whose holders still work; answer their ids."""
        ...

    async def release(self, claims: Sequence[Claim]) -> None:
        """Free the keys of those *claims* that still hold them; others are passed over.

        After an error some may be freed all the same.
        """
        ...

    async def aclose(self) -> None:
        """Close what is open. Claims stay until they expire. Closing again does nothing."""
        ...
