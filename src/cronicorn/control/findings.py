"""What is wrong, or only odd, with one input: collected, so that a person hears of everything at once."""

from dataclasses import dataclass, field

from cronicorn.domain.errors import FieldError, InvalidInputError

FINDINGS_MAX = 100
"""Findings told about one input."""


@dataclass(slots=True)
class Findings:
    """The findings about one input; `prefix` is the JSON Pointer of the part that is looked at."""

    prefix: str = ""
    errors: dict[FieldError, None] = field(default_factory=dict)
    """The errors, each once, in the order in which they were found."""
    places: set[str] = field(default_factory=set)
    noticed: list[FieldError] = field(default_factory=list)

    def refuse(self, pointer: str, message: str) -> None:
        """The input can't be accepted because of the field at *pointer*."""
        place = self.prefix + pointer
        self.errors[FieldError(pointer=place, message=message)] = None
        self.places.add(place)

    def warn(self, pointer: str, message: str) -> None:
        """The input is accepted, but the field at *pointer* may not do what was meant."""
        self.noticed.append(FieldError(pointer=self.prefix + pointer, message=message))

    def inside(self, pointer: str) -> "Findings":
        """Findings about the part at *pointer*, collected with these."""
        return Findings(self.prefix + pointer, self.errors, self.places, self.noticed)

    def copy(self) -> "Findings":
        """The same findings, to be continued apart from these: an edit may be judged more than once."""
        return Findings(self.prefix, dict(self.errors), set(self.places), list(self.noticed))

    def adopt(self, others: "Findings") -> None:
        """Add the errors of *others* to those about this part."""
        for error in others.errors:
            self.refuse(error.pointer, error.message)

    def found(self, pointer: str) -> bool:
        """Whether the field at *pointer* is refused already."""
        return self.prefix + pointer in self.places

    @property
    def warnings(self) -> tuple[FieldError, ...]:
        """What is only odd."""
        return tuple(self.noticed[:FINDINGS_MAX])

    def raise_errors(self) -> None:
        """Raise InvalidInputError with all errors, if there are any."""
        if self.errors:
            raise invalid(tuple(self.errors))


def invalid(errors: tuple[FieldError, ...]) -> InvalidInputError:
    """The error that tells of *errors*, as many as a person can read."""
    first = errors[0]
    where = f"{first.pointer}: " if first.pointer else ""
    more = f" ({len(errors) - 1} more in `errors`.)" if len(errors) > 1 else ""
    return InvalidInputError(f"{where}{first.message}{more}", fields=errors[:FINDINGS_MAX])


def refused(pointer: str, message: str) -> InvalidInputError:
    """The error for an input with one fault."""
    return invalid((FieldError(pointer=pointer, message=message),))
