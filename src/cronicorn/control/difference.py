"""What applying a file does, or would do: values that a terminal can show and a program can read."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from cronicorn.control.rendering import Fields, shown
from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.errors import FieldError


class Deed(StrEnum):
    """What applying a file does to one job or endpoint."""

    CREATED = "created"
    RESTORED = "restored"
    """Was archived, and is active again."""
    UPDATED = "updated"
    ARCHIVED = "archived"
    REMOVED = "removed"
    """Of what is said about alerts alone, which nothing brings back but saying it again."""
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field that changes: of an object, the members that do. Credentials are masked; None means not set."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What applying a file does to one job (`endpoint` is None), endpoint, or part of what it says about alerts."""

    deed: Deed
    job: str | None = None
    endpoint: str | None = None
    alert: str | None = None
    """Which part, such as `alert route ops`; None of jobs and endpoints."""
    changes: tuple[FieldChange, ...] = ()
    conflicts: tuple[str, ...] = ()
    """What of it somebody else has set, in words without an end: applying the file needs force."""

    @property
    def name(self) -> str:
        """What it is about, for a person."""
        if self.alert is not None:
            return self.alert
        return f"job {self.job}" if self.endpoint is None else f"{self.job}/{self.endpoint}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The outcome of applying a file, in the order of the file; what is archived comes last."""

    file_set: str
    """The name of the file set."""
    differences: tuple[Difference, ...]
    unlisted: tuple[str, ...]
    """What the set has made and its files list no longer, and is left alone as long as nobody asks to prune."""
    warnings: tuple[FieldError, ...]

    @property
    def changes(self) -> bool:
        """Whether anything is not as the file wants it."""
        return any(each.deed is not Deed.UNCHANGED for each in self.differences)

    @property
    def conflicts(self) -> tuple[str, ...]:
        """What somebody else has set, each with what it is part of."""
        return tuple(f"{each.name}: {conflict}" for each in self.differences for conflict in each.conflicts)


def job_difference(before: Job | None, after: Job) -> Difference:
    """What becomes of a job."""
    if before is None:
        return Difference(deed=Deed.CREATED, job=after.name)
    pairs = (("name", before.name, after.name), ("description", before.description, after.description))
    changes = tuple(FieldChange(field=field, before=old, after=new) for field, old, new in pairs if old != new)
    return Difference(deed=_deed(before, changed=bool(changes)), job=after.name, changes=changes)


def endpoint_difference(job: str, before: JobEndpoint | None, after: JobEndpoint, *, anchored: bool) -> Difference:
    """What becomes of an endpoint of *job*; a new anchor is told only when the file gives it (*anchored*)."""
    if before is None:
        return Difference(deed=Deed.CREATED, job=job, endpoint=after.name)
    deed = _deed(before, changed=before != after)
    changes = tuple(change for change in _changes(before, after) if anchored or change.field != "anchorAt")
    return Difference(deed=deed, job=job, endpoint=after.name, changes=changes)


def _deed(before: Job | JobEndpoint, *, changed: bool) -> Deed:
    """What is done to what is there; what is archived comes back."""
    if before.archived_at is not None:
        return Deed.RESTORED
    return Deed.UPDATED if changed else Deed.UNCHANGED


def part_difference(part: str, before: Fields | None, after: Fields, hidden: str | None = None) -> Difference:
    """What becomes of a *part* of what a file says about alerts; the field *hidden* changes without being shown."""
    if before is None:
        return Difference(deed=Deed.CREATED, alert=part)
    changed = [name for name in {**before, **after} if name == hidden or not _same(before, after, name)]
    changes = tuple(FieldChange(field=name, before=before.get(name), after=after.get(name)) for name in changed)
    return Difference(deed=Deed.UPDATED if changes else Deed.UNCHANGED, alert=part, changes=changes)


def _changes(before: JobEndpoint, after: JobEndpoint) -> tuple[FieldChange, ...]:
    old, new = shown(before, reveal=True), shown(after, reveal=True)
    old_shown, new_shown = shown(before), shown(after)
    return tuple(_change(name, old, new, old_shown, new_shown) for name in {**old, **new} if not _same(old, new, name))


def _change(name: str, old: Fields, new: Fields, old_shown: Fields, new_shown: Fields) -> FieldChange:
    """The change of the field *name*: of an object that the owner knows by its members, only those that change."""
    was, is_now = old.get(name), new.get(name)
    before, after = old_shown.get(name), new_shown.get(name)
    if name != "bodyJson" and isinstance(was, dict) and isinstance(is_now, dict):
        changed = [member for member in {**was, **is_now} if not _same(was, is_now, member)]
        before, after = _only(before, changed), _only(after, changed)
    return FieldChange(field=name, before=before, after=after)


def _only(value: object, members: Iterable[str]) -> Fields:
    assert isinstance(value, dict)
    return {member: value[member] for member in members if member in value}


def _same(old: Fields, new: Fields, name: str) -> bool:
    """Compared as text: for Python, true is 1, but not in a body."""
    return repr(old.get(name)) == repr(new.get(name))
