"""Credentials that stood in commands: references take their places, and nobody is shown what they were."""

import re

from cronicorn.domain.masking import looks_secret
from cronicorn.domain.secret_references import SECRET_LENGTH_MIN, is_reference, is_reference_alone

_NOT_OF_A_NAME = re.compile(r"[^A-Za-z0-9]+")
_NAME_MAX = 64


class Placeholders:
    """Gives each credential a name; the same one the same name."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._origins: dict[tuple[str, ...], str] = {}
        self.noted: dict[str, str] = {}
        """What stood where each name is now, in the order in which they were given."""

    def reference(self, value: str, *about: str) -> str:
        """The reference that stands for *value*, which is *about* what these words say; it may be one already."""
        if is_reference_alone(value):
            return value
        if value not in self._names:
            self._names[value] = self._new("-".join(about), "A credential")
        return f"{{{{secret.{self._names[value]}}}}}"

    def of_kubernetes(self, namespace: str, name: str, key: str) -> str:
        """The reference that stands for what a Secret holds: another one for that of the same name elsewhere."""
        origin = (namespace, name, key)
        if origin not in self._origins:
            was = f"{key} of the Secret {name} in the namespace {namespace}"
            self._origins[origin] = self._new(f"{name}-{key}", was)
        return f"{{{{secret.{self._origins[origin]}}}}}"

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

    def _new(self, about: str, was: str) -> str:
        wanted = _NOT_OF_A_NAME.sub("-", about).strip("-").lower() or "secret"
        wanted = (wanted if wanted[0].isalpha() else f"secret-{wanted}")[: _NAME_MAX - 4].strip("-")
        name, number = wanted, 1
        while name in self.noted:
            number += 1
            name = f"{wanted}-{number}"
        self.noted[name] = was
        return name


def _note(name: str, credential: str) -> str | None:
    if len(credential.strip()) < SECRET_LENGTH_MIN:
        return (
            f"What {name} holds is shorter than a secret may be ({SECRET_LENGTH_MIN} characters): choose a longer one."
        )
    return None
