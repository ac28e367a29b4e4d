"""The fields that these tests declare, and what they answered."""

from cronicorn.domain.condition.condition import Condition, condition_of
from cronicorn.domain.condition.kinds import FieldKind

FIELDS = {
    "err": FieldKind.NUMBER, "limit": FieldKind.NUMBER, "code": FieldKind.NUMBER,
    "st": FieldKind.STRING, "name": FieldKind.STRING, "up": FieldKind.BOOL, "need": FieldKind.BOOL,
}  # fmt: skip


def read(text: str) -> Condition:
    return condition_of(text, FIELDS)


def verdict(text: str, **values: float | str | bool) -> bool | None:
    return read(text).evaluate(values)
