"""Activating and rejecting a draft."""

from dataclasses import dataclass, replace
from datetime import datetime

from cronicorn.domain.compilation.difference import says_the_same
from cronicorn.domain.compilation.draft import Draft, DraftStatus, as_it_stands, text_of
from cronicorn.domain.editing import edited
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import ConflictError
from cronicorn.domain.ports import Cron
from cronicorn.domain.settlement import Change, Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What becomes of a draft, and of its endpoint."""

    draft: Draft
    change: Change | None = None
    """None leaves the endpoint alone."""


def activated(draft: Draft, endpoint: JobEndpoint, stored: Stored, cron: Cron, by: str) -> Decided:
    """Give *endpoint* the policy of *draft*, as a person's edit would. Activating what is in force changes nothing.

    Raises ConflictError for a draft that was decided on, and where the endpoint has changed since it was made.
    """
    is_active = draft.status is DraftStatus.ACTIVE and text_of(draft.policy) == text_of(endpoint.policy)
    if is_active or (draft.status is DraftStatus.UNCHANGED and says_the_same(draft.policy, endpoint.policy)):
        return Decided(draft=draft)
    if draft.status is not DraftStatus.DRAFT or draft.policy is None:
        raise ConflictError(
            f"Draft {_standing(as_it_stands(draft, endpoint.policy))}, and only one that waits is activated; "
            "`cronicorn policy compile ENDPOINT` makes another."
        )
    if (endpoint.description or "") != draft.description:
        raise ConflictError(f"The description has changed since draft {draft.id} was made; compile it again.")
    if text_of(endpoint.policy) != draft.replaces:
        raise ConflictError(f"The policy has changed since draft {draft.id} was made; compile again, and look anew.")
    change = edited(endpoint, replace(endpoint, policy=draft.policy), stored, cron)
    return Decided(draft=_decided(draft, DraftStatus.ACTIVE, stored.now, by), change=change)


def rejected(draft: Draft, now: datetime, by: str) -> Decided:
    """Do not use *draft*. Rejecting again changes nothing. Raises ConflictError for one that is in force or was."""
    if draft.status is DraftStatus.REJECTED:
        return Decided(draft=draft)
    if draft.status not in {DraftStatus.DRAFT, DraftStatus.NEEDS_ATTENTION}:
        raise ConflictError(
            f"Draft {_standing(draft)}, and only one that waits is rejected; to be rid of a policy in force, edit the "
            "endpoint."
        )
    return Decided(draft=_decided(draft, DraftStatus.REJECTED, now, by))


def _standing(draft: Draft) -> str:
    """The id of *draft*, and how it stands, as a clause."""
    needs_attention = draft.status is DraftStatus.NEEDS_ATTENTION
    return f"{draft.id} needs attention" if needs_attention else f"{draft.id} is {draft.status.value}"


def _decided(draft: Draft, status: DraftStatus, now: datetime, by: str) -> Draft:
    return replace(draft, status=status, decided_at=now, decided_by=by)
