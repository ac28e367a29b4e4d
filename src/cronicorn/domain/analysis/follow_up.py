"""Looking again because the model said so: from an instant on, at an answer unlike the one it saw. Pure.

What a model saw is known from then on, and so no news when it ends or comes again. Who steered on it wants to know.
An endpoint that answers as it did then is asked about by nobody, however often the instant is named again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cronicorn.domain.analysis.fingerprint import Fingerprint, neighbours
from cronicorn.domain.analysis.novelty import ANY, Known
from cronicorn.domain.fields import Fields, Value, lean, us

FOLLOW_UP_LEAST = timedelta(minutes=5)
FOLLOW_UP_MOST = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """What the last analysis asked for. The next analysis puts its own in its place, or none."""

    at: datetime
    """From this instant on."""
    seen: Fingerprint | None
    """The answer that was the newest then; None until there is one."""
    changed: str | None = None
    """Where the newest answer is unlike that: `shape`, or a path; None where it is not."""

    def document(self) -> dict[str, Value]:
        """The stored form."""
        seen = self.seen
        return lean({
            "at_us": us(self.at),
            "shape": seen.shape if seen is not None else None,
            "labels": dict(seen.labels) if seen is not None else None,
            "changed": self.changed,
        })  # fmt: skip

    def after(self, answer: Fingerprint, known: Known) -> "FollowUp":
        """The same after *answer*. Places where *known* says that nothing is new are left out."""
        if self.seen is None:
            return replace(self, seen=answer)
        return replace(self, changed=_difference(self.seen, answer, known))


def follow_up_of(document: Mapping[str, Value]) -> FollowUp:
    """What `FollowUp.document` stored. Raises ValueError for anything else."""
    fields = Fields(document)
    shape, labels = fields.text_or_none("shape"), Fields(fields.part("labels"))
    return FollowUp(
        at=fields.instant("at_us"),
        seen=Fingerprint(shape=shape, labels={path: labels.text(path) for path in labels.document})
        if shape is not None
        else None,
        changed=fields.text_or_none("changed"),
    )


def follow_up_in(wanted: timedelta, cooldown: timedelta) -> timedelta:
    """How long after an analysis the next may follow that it wants: within the bounds, and not within *cooldown*."""
    return max(cooldown, min(max(wanted, FOLLOW_UP_LEAST), FOLLOW_UP_MOST))


def _difference(seen: Fingerprint, answer: Fingerprint, known: Known) -> str | None:
    if seen.shape != answer.shape and ANY not in known.shapes:
        return "shape"
    for path, label in answer.labels.items():
        before = seen.labels.get(path)
        if before is not None and ANY not in known.labels.get(path, ()) and before not in neighbours(label):
            return path
    return None
