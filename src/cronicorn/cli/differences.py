"""What applying a file did, for people and for programs."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from cronicorn.cli.instants import written
from cronicorn.control.difference import Applied, Deed, Difference

_SIGNS = {Deed.CREATED: "+", Deed.UPDATED: "~"}


def applied_as_json(applied: Applied, *, dry_run: bool) -> dict[str, object]:
    """The differences, in the order of the file."""
    return {
        "dry_run": dry_run,
        "differences": [_as_json(difference) for difference in applied.differences],
        "warnings": [{"pointer": each.pointer, "message": each.message} for each in applied.warnings],
    }


def applied_as_lines(applied: Applied, *, dry_run: bool) -> Iterator[str]:
    """A line for each thing and field that changed, and a summary."""
    yield from _changed(applied.differences)
    counts = Counter(difference.deed for difference in applied.differences)
    changed = [f"{counts[deed]} {deed.value}" for deed in _SIGNS if counts[deed]]
    unchanged = f"{counts[Deed.UNCHANGED]} unchanged"
    if not changed:
        yield f"Nothing to do: {unchanged}."
    elif dry_run:
        yield f"Would be: {', '.join(changed)}; {unchanged}. Nothing was written."
    else:
        yield f"Done: {', '.join(changed)}; {unchanged}."


def stopped_as_lines(written: Sequence[Difference]) -> Iterator[str]:
    """What was *written* before applying a file stopped, and that it did."""
    changed = list(_changed(written))
    yield from changed
    yield f"Stopped here; {'the rest' if changed else 'nothing'} was {'not ' if changed else ''}applied."


def _changed(differences: Iterable[Difference]) -> Iterator[str]:
    for difference in differences:
        if difference.deed in _SIGNS:
            yield f"{_SIGNS[difference.deed]} {_name(difference)}"
            for change in difference.changes:
                before, after = _as_text(change.before), _as_text(change.after)
                masked = " (what is masked differs)" if before == after else ""
                yield f"    {change.field}: {before} → {after}{masked}"


def _as_json(difference: Difference) -> dict[str, object]:
    return {
        "deed": difference.deed.value,
        "job": difference.job,
        "endpoint": difference.endpoint,
        "alert": difference.alert,
        "changes": [{"field": each.field, "before": each.before, "after": each.after} for each in difference.changes],
    }


def _name(difference: Difference) -> str:
    if difference.alert is not None:
        return difference.alert
    return f"job {difference.job}" if difference.endpoint is None else f"{difference.job}/{difference.endpoint}"


def _as_text(value: object) -> str:
    """*value* as JSON; instants as the wire writes them."""
    return "not set" if value is None else json.dumps(value, ensure_ascii=False, default=plain)


def plain(value: object) -> str:
    """What JSON has no form of its own for."""
    return written(value) if isinstance(value, datetime) else str(value)
