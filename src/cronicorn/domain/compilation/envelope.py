"""What a draft may do without a person having looked at it."""

from collections.abc import Sequence

from cronicorn.domain.compilation.draft import CompileReason, Draft, DraftStatus, brought
from cronicorn.domain.endpoint import CompileMode, JobEndpoint
from cronicorn.domain.policy.policy import Action, ActionKind, Policy

CALLS_FACTOR = 2.0
"""The calls of a day may change by less than this factor, up or down."""
_HARMLESS = {ActionKind.INTERVAL, ActionKind.RUN_ONCE, ActionKind.PAUSE}


def outside(draft: Draft, endpoint: JobEndpoint, drafts: Sequence[Draft]) -> str | None:
    """Why *draft* has to wait for a person, as a sentence; None when it may take effect at once.

    *drafts* are the earlier ones of *endpoint*, newest first.
    """
    if endpoint.compile_mode is not CompileMode.AUTO:
        return (
            f"The endpoint's compile mode is {endpoint.compile_mode}, and only auto lets a draft take effect by itself."
        )
    if draft.status is not DraftStatus.DRAFT or draft.policy is None:
        return f"It is {draft.status.value.replace('_', ' ')}, and only a draft with a policy can take effect."
    if not _compiled(endpoint, drafts):
        return "A person wrote the policy in force, and only one that was compiled is replaced without a person."
    return _to_look_at(draft, draft.policy) or _of_figures(draft)


def _to_look_at(draft: Draft, policy: Policy) -> str | None:
    if draft.findings:
        return f"There is something to look at: {draft.findings[0].message}"
    if draft.unsupported:
        return f"Part of the description could not be expressed: {draft.unsupported[0]}"
    odd = [action.kind.value for action in _actions(policy) if not _harmless(action)]
    return f"It does more than change its own interval, run once or pause: {odd[0]}." if odd else None


def _of_figures(draft: Draft) -> str | None:
    figures = draft.figures
    old, new = (figures.calls_a_day_old, figures.calls_a_day_new) if figures is not None else (None, None)
    if old is None or new is None:
        return "It was not tried on a record of an hour at least, so how often it would call is not known."
    if max(old, new) >= CALLS_FACTOR * max(min(old, new), 1.0):
        return (
            f"It changes the calls of a day from {old:.0f} to {new:.0f}, by a factor of {CALLS_FACTOR:.0f} or more; "
            "what takes effect by itself changes them by less."
        )
    return None


def _compiled(endpoint: JobEndpoint, drafts: Sequence[Draft]) -> bool:
    """Whether the policy in force was compiled, or there is none."""
    source = brought(drafts, endpoint.policy)
    return endpoint.policy is None or (source is not None and source.reason is not CompileReason.PROPOSED)


def _actions(policy: Policy) -> list[Action]:
    thens = (rule.max_fires.then for rule in policy.rules if rule.max_fires is not None)
    return [*(rule.action for rule in policy.rules), *(then for then in thens if then is not None)]


def _harmless(action: Action) -> bool:
    return action.on is None and action.kind in _HARMLESS
