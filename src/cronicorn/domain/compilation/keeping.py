"""What becomes of the other drafts of an endpoint when one is added or decided on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cronicorn.domain.compilation.draft import DRAFTS_KEPT, Draft, DraftStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """What makes room for a draft."""

    superseded: tuple[Draft, ...] = ()
    """As they are from now on."""
    dropped: tuple[str, ...] = ()
    """Ids of those that are kept no longer."""


def cleared_for(new: Draft, drafts: Sequence[Draft]) -> Cleared:
    """What adding *new* does to *drafts*, the others of its endpoint, newest first."""
    others: tuple[Draft, ...] = ()
    if new.status in {DraftStatus.DRAFT, DraftStatus.UNCHANGED}:
        waiting = (draft for draft in drafts if draft.status is DraftStatus.DRAFT)
        others = tuple(_superseded(draft, new.created_at, new.created_by) for draft in waiting)
    old = drafts[DRAFTS_KEPT - 1 :]
    dropped = tuple(draft.id for draft in old if draft.status is not DraftStatus.ACTIVE)
    return Cleared(superseded=tuple(each for each in others if each.id not in dropped), dropped=dropped)


def superseded_by(decided: Draft, drafts: Sequence[Draft]) -> tuple[Draft, ...]:
    """Those of *drafts* that were active before *decided* became it."""
    if decided.status is not DraftStatus.ACTIVE or decided.decided_at is None or decided.decided_by is None:
        return ()
    active = (draft for draft in drafts if draft.status is DraftStatus.ACTIVE and draft.id != decided.id)
    return tuple(_superseded(draft, decided.decided_at, decided.decided_by) for draft in active)


def _superseded(draft: Draft, at: datetime, by: str) -> Draft:
    return replace(draft, status=DraftStatus.SUPERSEDED, decided_at=at, decided_by=by)
