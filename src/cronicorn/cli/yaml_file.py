"""YAML files that remember on which line everything stands."""

import sys
from pathlib import Path

import yaml

from cronicorn.domain.errors import FieldError, InvalidInputError, NotFoundError
from cronicorn.domain.sentence import as_sentence

BYTES_MAX = 4_194_304


class YamlFile:
    """A file's value, and the line of each of its parts."""

    def __init__(self, name: str, text: str) -> None:
        """Raises InvalidInputError, naming the line, for what is not YAML or says something twice."""
        self.name = name
        try:
            loader = yaml.SafeLoader(text)
            self._root = loader.get_single_node()
            if self._root is not None:
                self._refuse_repeated(self._root, set())
            self.value: object = None if self._root is None else loader.construct_document(self._root)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise self._unreadable(0 if mark is None else mark.line + 1, _problem(error)) from None
        except yaml.YAMLError as error:
            raise self._unreadable(0, " ".join(str(error).split())) from None
        except (RecursionError, ValueError) as error:
            raise self._unreadable(
                0, "nested too deeply" if isinstance(error, RecursionError) else str(error)
            ) from None

    def located(self, found: FieldError) -> str:
        """*found* as a line for a person: file, line, field and what is wrong."""
        return f"{self.name}:{self.line_of(found.pointer)}: {found.pointer or '(file)'}: {found.message}"

    def line_of(self, pointer: str) -> int:
        """The line of the part at the JSON Pointer *pointer*, or of the nearest part around it."""
        node, line = self._root, 1 if self._root is None else self._root.start_mark.line + 1
        for part in pointer.split("/")[1:]:
            node = _child(node, part.replace("~1", "/").replace("~0", "~"))
            if node is None:
                break
            line = node.start_mark.line + 1
        return line

    def _refuse_repeated(self, node: yaml.Node, done: set[int]) -> None:
        """Raise InvalidInputError for a name that stands twice in one mapping: the first would be lost in silence."""
        if id(node) in done:
            return
        done.add(id(node))
        if isinstance(node, yaml.MappingNode):
            names = set()
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value in names and key.value != "<<":
                    raise self._unreadable(key.start_mark.line + 1, f"{key.value!r} stands here for the second time")
                names.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
                self._refuse_repeated(value, done)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                self._refuse_repeated(value, done)

    def _unreadable(self, line: int, why: str) -> InvalidInputError:
        where = f"{self.name}:{line}" if line else self.name
        return InvalidInputError(as_sentence(f"{where}: {why}"))


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


def _problem(error: yaml.MarkedYAMLError) -> str:
    """What is wrong, and what to do where cron expressions are likely: unquoted, `@` and `*` mean something to YAML."""
    problem = error.problem or "not YAML"
    if "'@'" in problem or error.context == "while scanning an alias":
        return f'{problem}: quote it, as in "@hourly" or "*/5 * * * *"'
    return problem


def _child(node: yaml.Node | None, part: str) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and part.isdecimal() and int(part) < len(node.value):
        found: yaml.Node = node.value[int(part)]
        return found
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == part), None)
    return None
