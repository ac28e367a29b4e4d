"""What applying a file did, for people and for programs."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator

from cronicorn.api.wire_files import plain
from cronicorn.control.difference import Applied, Deed, Difference
from cronicorn.domain.filing.file_set import USUAL

_SIGNS = {Deed.CREATED: "+", Deed.RESTORED: "+", Deed.UPDATED: "~", Deed.ARCHIVED: "-", Deed.REMOVED: "-"}

_UNLISTED_SHOWN = 5
"""What is left alone is no news: some of it is enough."""


def applied_as_json(applied: Applied, *, dry_run: bool) -> dict[str, object]:
    """The differences, in the order of the file."""
    return {
        "dry_run": dry_run,
        "set": applied.file_set,
        "differences": [_as_json(difference) for difference in applied.differences],
        "conflicts": len(applied.conflicts),
        "unlisted": list(applied.unlisted),
        "warnings": [{"pointer": each.pointer, "message": each.message} for each in applied.warnings],
    }


def applied_as_lines(applied: Applied, *, dry_run: bool, force: bool) -> Iterator[str]:
    """A line for each thing and field that changed, and a summary."""
    yield from _changed(applied.differences)
    counts = Counter(difference.deed for difference in applied.differences)
    changed = [f"{counts[deed]} {deed.value}" for deed in _SIGNS if counts[deed]]
    unchanged = f"{counts[Deed.UNCHANGED]} unchanged"
    yield from _left_alone(applied)
    if not changed:
        yield f"Nothing to do: {unchanged}."
    elif dry_run:
        what = "which --force overwrites" if force else "so it needs --force"
        refused = f" Conflicts: {len(applied.conflicts)}, {what}." if applied.conflicts else ""
        yield f"Would be: {', '.join(changed)}; {unchanged}. Nothing was written.{refused}"
    else:
        yield f"Done: {', '.join(changed)}; {unchanged}."


def _left_alone(applied: Applied) -> Iterator[str]:
    named = applied.file_set != USUAL
    for name in applied.unlisted[:_UNLISTED_SHOWN]:
        yield f"? {name} is listed no longer, and left alone{' (--prune takes it away)' if named else ''}"
    if len(applied.unlisted) > _UNLISTED_SHOWN:
        yield f"? and {len(applied.unlisted) - _UNLISTED_SHOWN} more"
    if applied.unlisted and not named:
        yield "? Files that are applied apart need sets with names (`set: NAME` in them, or --set); --prune does, too."


def archived_as_lines(applied: Applied) -> Iterator[str]:
    """A line for each thing that is archived, or removed."""
    yield from _changed(each for each in applied.differences if each.deed in {Deed.ARCHIVED, Deed.REMOVED})


def _changed(differences: Iterable[Difference]) -> Iterator[str]:
    for difference in differences:
        if difference.deed in _SIGNS:
            how = " (restored)" if difference.deed is Deed.RESTORED else ""
            yield f"{_SIGNS[difference.deed]} {difference.name}{how}"
            for change in difference.changes:
                before, after = _as_text(change.before), _as_text(change.after)
                masked = " (what is masked differs)" if before == after else ""
                yield f"    {change.field}: {before} → {after}{masked}"
            yield from (f"    ! {conflict}" for conflict in difference.conflicts)


def _as_json(difference: Difference) -> dict[str, object]:
    return {
        "deed": difference.deed.value,
        "job": difference.job,
        "endpoint": difference.endpoint,
        "alert": difference.alert,
        "changes": [
            {"field": each.field, "before": plain(each.before), "after": plain(each.after)}
            for each in difference.changes
        ],
        "conflicts": list(difference.conflicts),
    }


def _as_text(value: object) -> str:
    """*value* as JSON; instants as the wire writes them."""
    return "not set" if value is None else json.dumps(plain(value), ensure_ascii=False)
