"""YAML that remembers on which line everything stands."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import yaml

VALUES_MAX = 1_000_000
"""So many values a text may hold, with what an alias names, or a merge, as often as it is named: aliases of what holds
aliases grow with the power of their number, and so does the time of whoever goes through them."""


class YamlTextError(ValueError):
    """A text that is no YAML, says something twice, or holds itself or too much."""

    def __init__(self, line: int, why: str) -> None:
        self.line = line
        """From 1; 0 where nobody can say."""
        self.why = why
        super().__init__(f"line {line}: {why}" if line else why)


class YamlText:
    """A text's value, and the line of each of its parts."""

    def __init__(self, text: str) -> None:
        """Raises YamlTextError."""
        with _faults_with_lines():
            loader = yaml.SafeLoader(text)
            self._root = loader.get_single_node()
            if self._root is not None:
                _size(self._root, {})
            self.value: object = None if self._root is None else loader.construct_document(self._root)

    def line_of(self, pointer: str) -> int:
        """The line of the part at the JSON Pointer *pointer*, or of the nearest part around it; from 1."""
        node, line = self._root, 1 if self._root is None else self._root.start_mark.line + 1
        for part in pointer.split("/")[1:]:
            node = _child(node, part.replace("~1", "/").replace("~0", "~"))
            if node is None:
                break
            line = node.start_mark.line + 1
        return line


def yaml_documents(text: str) -> list[object]:
    """The values of all documents in *text*, which hold VALUES_MAX together. Raises YamlTextError."""
    found, size = [], 0
    with _faults_with_lines():
        loader = yaml.SafeLoader(text)
        while loader.check_node():
            root = loader.get_node()
            assert root is not None
            size += _size(root, {})
            if size > VALUES_MAX:
                raise YamlTextError(root.start_mark.line + 1, f"more than {VALUES_MAX:,} values end here: split it")
            found.append(loader.construct_document(root))
    return found


@contextmanager
def _faults_with_lines() -> Iterator[None]:
    """Whatever is wrong with the text that the block reads is a YamlTextError."""
    try:
        yield
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlTextError(0 if mark is None else mark.line + 1, _problem(error)) from None
    except yaml.YAMLError as error:
        raise YamlTextError(0, " ".join(str(error).split())) from None
    except YamlTextError:
        raise
    except (RecursionError, ValueError) as error:
        raise YamlTextError(0, "nested too deeply" if isinstance(error, RecursionError) else str(error)) from None


def _size(node: yaml.Node, sizes: dict[int, int]) -> int:
    """How many values *node* is, with those in it; *sizes* are those of nodes by their identity, 0 of one around it.

    Raises YamlTextError for what holds itself, for more than VALUES_MAX, and for a name that stands twice.
    """
    if id(node) in sizes:
        if sizes[id(node)] == 0:
            raise YamlTextError(node.start_mark.line + 1, "holds itself, by an alias inside of it")
        return sizes[id(node)]
    sizes[id(node)] = 0
    size = 1
    for each in _parts(node):
        size += _size(each, sizes)
        if size > VALUES_MAX:
            raise YamlTextError(node.start_mark.line + 1, f"holds more than {VALUES_MAX:,} values, through its aliases")
    sizes[id(node)] = size
    return size


def _parts(node: yaml.Node) -> Sequence[yaml.Node]:
    """What *node* holds. Raises YamlTextError for a name that stands twice: the first would be lost in silence."""
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    if not isinstance(node, yaml.MappingNode):
        return ()
    names = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value in names and key.value != "<<":
            raise YamlTextError(key.start_mark.line + 1, f"{key.value!r} stands here for the second time")
        names.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
    return [value for _, value in node.value]


def _problem(error: yaml.MarkedYAMLError) -> str:
    """What is wrong, and what to do about tabs and where cron expressions are likely: `@` and `*` mean something."""
    problem = error.problem or "not YAML"
    if "'\\t'" in problem:
        return f"{problem}: indent with blanks, not with tabs"
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
