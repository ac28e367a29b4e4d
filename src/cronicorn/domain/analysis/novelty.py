"""Whether an answer is new. Pure.

The first answers are learnt in silence. After them an answer is new when its shape was never seen, or when it holds,
for the second time, a coarse value that is not known at its path, whatever was seen between. What was new once is known
from then on, and all that is remembered is bounded: a path with too many values, seen often or once, and an endpoint
with too many shapes, is new no more, and paths beyond PATHS_MAX are left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cronicorn.domain.analysis.fingerprint import Fingerprint, neighbours
from cronicorn.domain.fields import Fields, Value, lean

LEARNT_SILENTLY = 20
"""So many answers are learnt before anything is new."""
SHAPES_MAX = 16
LABELS_MAX = 8
"""A path with more coarse values holds data and no state."""
SUSPECTS_MAX = 8
"""A path with more coarse values that were seen once holds data and no state."""
PATHS_MAX = 128
"""Of so many paths something is remembered."""
ANY = "*"
"""The label of a path at which nothing is new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What answers of one endpoint have been like."""

    answers: int = 0
    shapes: tuple[str, ...] = ()
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The coarse values seen at each path."""
    suspects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The coarse values that were seen once at a path; each is new if it comes again."""

    def document(self) -> dict[str, Value]:
        """The stored form."""
        return lean({
            "answers": self.answers,
            "shapes": list(self.shapes),
            "labels": {path: list(seen) for path, seen in self.labels.items()},
            "suspects": {path: list(once) for path, once in self.suspects.items()} or None,
        })  # fmt: skip


NOTHING_KNOWN = Known()


def known_of(document: Mapping[str, Value]) -> Known:
    """What `Known.document` stored. Raises ValueError for anything else."""
    fields = Fields(document)
    labels, suspects = Fields(fields.part("labels")), Fields(fields.part("suspects"))
    return Known(
        answers=fields.number("answers", 0),
        shapes=tuple(str(each) for each in fields.items("shapes")),
        labels={path: tuple(str(each) for each in labels.items(path)) for path in labels.document},
        suspects={path: tuple(str(each) for each in suspects.items(path)) for path in suspects.document},
    )


def learnt(known: Known, answer: Fingerprint) -> tuple[Known, str | None]:
    """What is known after *answer*, and what was new about it: its shape, or the path of a value; None of old news."""
    silent = known.answers < LEARNT_SILENTLY
    shapes, is_new_shape = _with_shape(known.shapes, answer.shape)
    labels, suspects = dict(known.labels), dict(known.suspects)
    new_path = None
    for path, label in answer.labels.items():
        seen, once = labels.get(path, ()), suspects.get(path, ())
        has_room = seen or once or len(labels.keys() | suspects.keys()) < PATHS_MAX
        if not has_room or _is_known(seen, label, silent=silent):
            continue
        if silent or is_new_shape or label in once:
            new_path = new_path or path
            labels[path] = _with_label(seen, label)
            suspects[path] = tuple(each for each in once if each != label)
        elif len(once) < SUSPECTS_MAX:
            suspects[path] = (*once, label)  # Once may be chance.
        else:
            labels[path] = (ANY,)
        if ANY in labels.get(path, ()) or not suspects[path]:
            del suspects[path]
    after = Known(answers=known.answers + 1, shapes=shapes, labels=labels, suspects=suspects)
    if silent:
        return replace(after, suspects={}), None
    return after, "shape" if is_new_shape else new_path


def _with_shape(shapes: tuple[str, ...], shape: str) -> tuple[tuple[str, ...], bool]:
    if shape in shapes or ANY in shapes:
        return shapes, False
    return ((*shapes, shape) if len(shapes) < SHAPES_MAX else (ANY,)), len(shapes) < SHAPES_MAX


def _is_known(seen: tuple[str, ...], label: str, *, silent: bool) -> bool:
    """Whether nothing is to be learnt. While learning, neighbours are kept apart: only noise afterwards is forgiven."""
    near = (label,) if silent else neighbours(label)
    return ANY in seen or any(each in seen for each in near)


def _with_label(seen: tuple[str, ...], label: str) -> tuple[str, ...]:
    return (*seen, label) if len(seen) < LABELS_MAX else (ANY,)
