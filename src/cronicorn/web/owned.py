"""What files own of a thing, as the forms that change it tell it."""

from collections.abc import Iterable, Mapping

from cronicorn.control.file_owners import FileOwner

BASELINE = ("kind", "baselineIntervalMs", "baselineCron", "onceAt")
"""The fields of forms that say together what files know as `baseline`."""
_TOLD_MAX = 3
_NAME_MAX = 40


def owned_fields(owners: Iterable[FileOwner], names: Iterable[str]) -> Mapping[str, str]:
    """What to tell beside those of the fields *names* of a form that files name, or a member of them."""
    told: dict[str, str] = {}
    owning = list(owners)
    for name in names:
        sets = [each for each in owning if _met(name, each.fields)]
        if sets:
            edited = ", and edited since" if any(_met(name, each.edited) for each in sets) else ""
            told[name] = f"In the files of {_listed(sets)}{edited}."
    return told


def _listed(sets: list[FileOwner]) -> str:
    names = [each.file_set if len(each.file_set) <= _NAME_MAX else f"{each.file_set[:_NAME_MAX]}…" for each in sets]
    more = [f"{len(names) - _TOLD_MAX} more"] if len(names) > _TOLD_MAX else []
    return ", ".join((*names[:_TOLD_MAX], *more))


def _met(name: str, fields: Iterable[str]) -> bool:
    """Whether one of *fields* is what the field *name* of a form sets, or lies in it, or holds it."""
    own = "baseline" if name in BASELINE else name
    return any(own == each or own.startswith(f"{each}/") or each.startswith(f"{own}/") for each in fields)
