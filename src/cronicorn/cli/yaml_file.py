"""YAML files, whose faults are told with the file and the line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from cronicorn.control.yaml_text import YamlText, YamlTextError, yaml_documents
from cronicorn.domain.errors import FieldError, InvalidInputError, NotFoundError
from cronicorn.domain.json_body import Json
from cronicorn.domain.plain_json import plain_json
from cronicorn.domain.sentence import as_sentence

BYTES_MAX = 4_194_304


class Located(Protocol):
    """A file, or several, of which one knows what stands where."""

    def located(self, found: FieldError) -> str:
        """*found* as a line for a person: file, line, field and what is wrong."""
        ...


class YamlFile(YamlText):
    """A file's value, and the line of each of its parts."""

    def __init__(self, name: str, text: str) -> None:
        """Raises InvalidInputError, naming the line, for what is not YAML or says something twice."""
        self.name = name
        with _naming(name):
            super().__init__(text)

    def located(self, found: FieldError) -> str:
        """*found* as a line for a person: file, line, field and what is wrong."""
        return f"{self.name}:{self.line_of(found.pointer)}: {found.pointer or '(file)'}: {found.message}"


@contextmanager
def locating(file: Located) -> Iterator[None]:
    """Whatever of *file* is refused in the block is told with its place, each fault on its line."""
    try:
        yield
    except InvalidInputError as error:
        raise InvalidInputError("\n".join(map(file.located, error.fields)) or str(error)) from error


def read_object(path: str, beginning: str) -> dict[str, Json]:
    """The object in the file at *path*, `-` being stdin, which should have that *beginning*.

    Raises NotFoundError, or InvalidInputError for what JSON can't hold.
    """
    file = read_yaml_file(path)
    with locating(file):
        return plain_json(file.value, beginning)


def documents_in(name: str, text: str) -> list[object]:
    """The values of all documents in the *text* of the file *name*. Raises InvalidInputError, naming the line."""
    with _naming(name):
        return yaml_documents(text)


def read_yaml_file(path: str) -> YamlFile:
    """Read the file at *path*, `-` being stdin. Raises NotFoundError or InvalidInputError."""
    return YamlFile(*read_text(path))


def read_text(path: str) -> tuple[str, str]:
    """What to call the file at *path*, `-` being stdin, and its text. Raises NotFoundError or InvalidInputError."""
    name = "stdin" if path == "-" else path
    try:
        with sys.stdin.buffer if path == "-" else Path(path).open("rb") as file:
            data = file.read(BYTES_MAX + 1)
    except FileNotFoundError:
        raise NotFoundError(f"There is no file {path}.") from None
    except OSError as error:
        raise InvalidInputError(as_sentence(f"{name} can't be read: {error.strerror}")) from None
    if len(data) > BYTES_MAX:
        raise InvalidInputError(f"{name} is larger than {BYTES_MAX} bytes; split it.")
    try:
        return name, data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInputError(f"{name} is not UTF-8 text.") from None


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """What is wrong with YAML in the block is told with the file *name* and the line."""
    try:
        yield
    except YamlTextError as fault:
        where = f"{name}:{fault.line}" if fault.line else name
        raise InvalidInputError(as_sentence(f"{where}: {fault.why}")) from None
