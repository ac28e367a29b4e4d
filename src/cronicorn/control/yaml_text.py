"""YAML that remembers on which line everything stands."""

import yaml

MERGED_MAX = 100_000
"""So many values a text may bring together by `<<`: merges of merges grow with the power of their number."""
_MERGE = "tag:yaml.org,2002:merge"


class YamlTextError(ValueError):
    """A text that is no YAML, or says something twice."""

    def __init__(self, line: int, why: str) -> None:
        self.line = line
        """From 1; 0 where nobody can say."""
        self.why = why
        super().__init__(f"line {line}: {why}" if line else why)


class YamlText:
    """A text's value, and the line of each of its parts."""

    def __init__(self, text: str) -> None:
        """Raises YamlTextError."""
        try:
            loader = _BoundedLoader(text)
            self._root = loader.get_single_node()
            if self._root is not None:
                self._refuse_repeated(self._root, set())
            self.value: object = None if self._root is None else loader.construct_document(self._root)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise YamlTextError(0 if mark is None else mark.line + 1, _problem(error)) from None
        except yaml.YAMLError as error:
            raise YamlTextError(0, " ".join(str(error).split())) from None
        except YamlTextError:
            raise
        except (RecursionError, ValueError) as error:
            raise YamlTextError(0, "nested too deeply" if isinstance(error, RecursionError) else str(error)) from None

    def line_of(self, pointer: str) -> int:
        """The line of the part at the JSON Pointer *pointer*, or of the nearest part around it; from 1."""
        node, line = self._root, 1 if self._root is None else self._root.start_mark.line + 1
        for part in pointer.split("/")[1:]:
            node = _child(node, part.replace("~1", "/").replace("~0", "~"))
            if node is None:
                break
            line = node.start_mark.line + 1
        return line

    def _refuse_repeated(self, node: yaml.Node, done: set[int]) -> None:
        """Raise YamlTextError for a name that stands twice in one mapping: the first would be lost in silence."""
        if id(node) in done:
            return
        done.add(id(node))
        if isinstance(node, yaml.MappingNode):
            names = set()
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value in names and key.value != "<<":
                    raise YamlTextError(key.start_mark.line + 1, f"{key.value!r} stands here for the second time")
                names.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
                self._refuse_repeated(value, done)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                self._refuse_repeated(value, done)


class _BoundedLoader(yaml.SafeLoader):
    """Merges no more than MERGED_MAX values."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._merged = 0

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        for key, value in node.value:
            if key.tag == _MERGE:
                for each in value.value if isinstance(value, yaml.SequenceNode) else (value,):
                    self._count(each, key)
        super().flatten_mapping(node)

    def _count(self, merged: yaml.Node, key: yaml.Node) -> None:
        if isinstance(merged, yaml.MappingNode):
            self.flatten_mapping(merged)
            self._merged += len(merged.value)
        if self._merged > MERGED_MAX:
            why = f"merges more than {MERGED_MAX:,} values by `<<`"
            raise yaml.constructor.ConstructorError(None, None, why, key.start_mark)


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
