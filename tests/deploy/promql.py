"""What a PromQL expression asks for, by Prometheus's grammar."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from promql_parser import AggregateExpr, Expr, MatchOp, VectorSelector, parse, walk

from cronicorn.adapters.metrics.catalog import METRICS, Metric

_BY_NAME: Mapping[str, Metric] = {metric.name: metric for metric in METRICS}
_SUFFIXES = ("_bucket", "_sum", "_count")
_OF_SCRAPES = {"job", "instance"}
_MADE_BY_PROMETHEUS = {"up"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One series that an expression looks at, and the labels that it tells them apart by."""

    name: str
    matched: tuple[tuple[str, str], ...]
    """Labels that have to be equal to something."""
    labels: frozenset[str]
    """All that are matched or grouped by."""

    @property
    def metric(self) -> Metric | None:
        """Which of ours it is; a histogram by one of its series."""
        for suffix in _SUFFIXES:
            found = _BY_NAME.get(self.name.removesuffix(suffix))
            if self.name.endswith(suffix) and found is not None and found.kind == "histogram":
                return found
        found = _BY_NAME.get(self.name)
        return found if found is not None and found.kind != "histogram" else None

    @property
    def faults(self) -> Iterator[str]:
        """What of it does not exist."""
        if self.name in _MADE_BY_PROMETHEUS:
            return
        if self.metric is None:
            yield f"no metric {self.name}"
            return
        known = {*self.metric.labels, *_OF_SCRAPES, *(["le"] if self.name.endswith("_bucket") else [])}
        for label in sorted(self.labels - known):
            yield f"{self.name} has no label {label}"


def asked(expression: str) -> list[Asked]:
    """What *expression* looks at. Raises ValueError where it is none."""
    found: list[Asked] = []
    groups: list[set[str]] = []

    def enter(node: Expr) -> None:
        if isinstance(node, AggregateExpr):
            groups.append(set(node.modifier.labels) if node.modifier is not None else set())
        if isinstance(node, VectorSelector):
            matchers = node.matchers.matchers
            matched = tuple((each.name, each.value) for each in matchers if each.op == MatchOp.Equal)
            labels = frozenset({each.name for each in matchers}.union(*groups))
            found.append(Asked(node.name or "", matched, labels))

    def leave(node: Expr) -> None:
        if isinstance(node, AggregateExpr):
            groups.pop()

    walk(parse(expression), enter, leave)
    return found
