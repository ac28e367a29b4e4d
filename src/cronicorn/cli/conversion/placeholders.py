"""Credentials that stood in commands: references take their places, and nobody is shown what they were."""

import re

from cronicorn.domain.masking import looks_secret
from cronicorn.domain.secret_references import SECRET_LENGTH_MIN, is_reference

_NOT_OF_A_NAME = re.compile(r"[^A-Za-z0-9]+")
_NAME_MAX = 64


class Placeholders:
    """Gives each credential a name; the same one the same name."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self.noted: list[str] = []
        """The names, in the order in which they were given."""

    def reference(self, value: str, *about: str) -> str:
        """The reference that stands for *value*, which is *about* what these words say."""
        name = self._names.get(value)
        if name is None:
            wanted = _NOT_OF_A_NAME.sub("-", "-".join(about)).strip("-").lower() or "secret"
            name = self._new(wanted if wanted[0].isalpha() else f"secret-{wanted}")
            self._names[value] = name
        return f"{{{{secret.{name}}}}}"

    def named(self, name: str) -> str:
        """The reference to a secret that has a *name* where it comes from."""
        wanted = _NOT_OF_A_NAME.sub("-", name).strip("-").lower()[:_NAME_MAX]
        if wanted not in self.noted:
            self.noted.append(wanted)
        return f"{{{{secret.{wanted}}}}}"

    def header(self, name: str, value: str, about: str) -> tuple[str, str | None]:
        """The value that a header is to have, and what to note of it."""
        if not looks_secret(name, value) or is_reference(value):
            return value, None
        scheme, space, credential = value.partition(" ")
        if not space or not scheme.isalpha() or not credential.strip():
            scheme, space, credential = "", "", value
        return f"{scheme}{space}{self.reference(credential.strip(), about, name)}", _note(name, credential)

    def body(self, value: object, about: str) -> object:
        """A JSON *value* with references in the place of members whose names say that they are credentials."""
        if isinstance(value, list):
            return [self.body(each, about) for each in value]
        if isinstance(value, dict):
            return {
                name: self.reference(each, about, name)
                if isinstance(each, str) and each and looks_secret(name, each) and not is_reference(each)
                else self.body(each, about)
                for name, each in value.items()
            }
        return value

    def _new(self, wanted: str) -> str:
        wanted = wanted[: _NAME_MAX - 4].strip("-")
        taken, name, number = set(self.noted), wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted}-{number}"
        self.noted.append(name)
        return name


def _note(name: str, credential: str) -> str | None:
    if len(credential.strip()) < SECRET_LENGTH_MIN:
        return (
            f"What {name} holds is shorter than a secret may be ({SECRET_LENGTH_MIN} characters): choose a longer one."
        )
    return None
