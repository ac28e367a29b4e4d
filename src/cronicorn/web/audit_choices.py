"""Whom and what is meant by what is typed above the audit log: ids, names, and parts of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cronicorn.control.plane import ControlPlane
from cronicorn.domain.permission import Operation
from cronicorn.web.view import View

CHOICES_SHOWN = 12
"""Of those among which somebody has to choose."""
_OFFERED_MAX = 30
"""Offered while one types; any other is found, too."""
_OFFERED_LENGTH_MAX = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditChoice:
    """Somebody, something or a kind of change that entries can be confined to."""

    id: str
    kind: str
    name: str

    def meant_by(self, text: str) -> bool:
        """Whether *text* is a part of its name or of its id; capitals make no difference."""
        return text.casefold() in self.name.casefold() or text in self.id


async def known_actors(control: ControlPlane, view: View) -> Sequence[AuditChoice]:
    """Members and API keys, as far as who looks may see them."""
    found: list[AuditChoice] = []
    if view.may(Operation.MEMBER_LIST):
        members = await control.members.list(view.asker)
        found += [AuditChoice(id=each.id, kind="member", name=each.login) for each in members]
    if view.may(Operation.KEY_LIST):
        keys = await control.keys.list(view.asker)
        found += [AuditChoice(id=each.id, kind="key", name=each.name or each.prefix) for each in keys]
    return found


async def known_things(control: ControlPlane, view: View, text: str) -> Sequence[AuditChoice]:
    """Endpoints and jobs that the search finds by *text*."""
    if not text or not view.may(Operation.SEARCH_FIND):
        return ()
    found = await control.search.find(view.asker, text.replace("/", " "))  # Each of the words has to be there.
    endpoints = [
        AuditChoice(id=each.id, kind="endpoint", name=f"{job.name}/{each.name}") for job, each in found.endpoints
    ]
    return [*(AuditChoice(id=each.id, kind="job", name=each.name) for each in found.jobs), *endpoints]


def known_actions() -> Sequence[AuditChoice]:
    """What can be done."""
    return [AuditChoice(id=each.value, kind="change", name=each.value) for each in Operation]


def narrowed(text: str, among: Iterable[AuditChoice], found: Iterable[AuditChoice] = ()) -> Sequence[AuditChoice]:
    """What is meant by *text*: what has that id, else what has that name, else what was *found* by it, or has a part.

    Endpoints are known by their own names, too.
    """
    searched = list(found)
    known, folded = [*searched, *among], text.casefold()
    for fits in (
        [each for each in known if each.id == text],
        [each for each in known if folded == each.name.casefold()],
        [each for each in known if folded == each.name.casefold().rpartition("/")[2]],
    ):
        if fits:
            return fits
    return [*searched, *(each for each in known[len(searched) :] if each.meant_by(text))]


def offered(choices: Iterable[AuditChoice]) -> Sequence[AuditChoice]:
    """Those that are offered while one types."""
    return [each for each in choices if len(each.name) <= _OFFERED_LENGTH_MAX][:_OFFERED_MAX]
