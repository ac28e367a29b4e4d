"""A request with a key, and what is known of one that had it before."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from cronicorn.domain.cells import Cell

KEPT = timedelta(hours=24)
"""So long a key belongs to its request, and its answer is kept."""
PATIENCE = timedelta(minutes=2)
"""A request without an answer after so long is not in progress any more: whoever made it has gone."""
_FAULTS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedRequest:
    """A request with a key."""

    tenant_id: str
    key: str
    fingerprint: str
    """The same for the same request of the same asker, and for no other."""
    claim_id: str
    """Tells apart those who make it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """What a request was answered."""

    status: int
    fields: tuple[tuple[str, str], ...]
    body: str | None
    """None of an answer that may not be kept, or that is too long."""

    @property
    def in_doubt(self) -> bool:
        """Whether it does not say what was done."""
        return self.status >= _FAULTS

    def text(self) -> str:
        """The stored form."""
        return json.dumps([self.status, self.fields, self.body])


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRequest:
    """What is known of the request that has a key already."""

    fingerprint: str
    begun_at: datetime
    now: datetime
    answer: KeptAnswer | None


def answer_of(cell: Cell) -> KeptAnswer | None:
    """The answer that `KeptAnswer.text` stored."""
    if cell is None:
        return None
    status, fields, body = json.loads(str(cell))
    return KeptAnswer(status=status, fields=tuple((name, value) for name, value in fields), body=body)
