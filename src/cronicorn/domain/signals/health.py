"""Whether an answer says that something is wrong.

The words are those of draft-inadarei-api-health-check-06 with its aliases, and those that status pages use.
"""

from typing import NamedTuple

from cronicorn.domain.call import Outcome, OutcomeKind
from cronicorn.domain.json_body import Json

SERVER_ERROR = 500
"""The lowest status that speaks of the server and not of the call."""
_BAD_WORDS = frozenset({
    "fail", "failed", "error", "down", "critical", "unhealthy", "degraded", "warn", "warning", "partial", "outage",
    "stalled",
})  # fmt: skip
_WORD_CHARACTERS_MAX = 20
_UNANSWERED = {
    OutcomeKind.TIMED_OUT, OutcomeKind.UNRESOLVED, OutcomeKind.UNREACHABLE, OutcomeKind.TLS_FAILED, OutcomeKind.BROKEN,
}  # fmt: skip
"""The target gave no answer, or none that could be read to its end."""


class Ailment(NamedTuple):
    """What is wrong, and where it was read."""

    place: str
    value: str


def ailment(outcome: Outcome, body: Json) -> Ailment | None:
    """What *outcome*, whose *body* this is, says is wrong; None when it says nothing of the kind."""
    kind, status = outcome.kind, outcome.status_code
    if kind is not OutcomeKind.RESPONDED:
        if kind in _UNANSWERED:
            return Ailment("outcome", kind.value.replace("_", " "))
    elif status is not None and status >= SERVER_ERROR:
        return Ailment("status", str(status))
    if type(body) is not dict:
        return None
    for name in ("status", "state"):
        word = body.get(name)
        if type(word) is str and len(word) <= _WORD_CHARACTERS_MAX and word.strip().lower() in _BAD_WORDS:
            return Ailment(f"/{name}", word)
    return Ailment("/healthy", "false") if body.get("healthy") is False else None
