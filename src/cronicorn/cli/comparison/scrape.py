"""Reading a worker's own metrics."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from http.client import HTTPConnection, HTTPException
from typing import TypeAlias

from prometheus_client.parser import text_string_to_metric_families

Sample: TypeAlias = dict[tuple[str, frozenset[tuple[str, str]]], float]
"""Values by name and labels."""

_TIMEOUT_S = 1.0
_OK = 200


def scraped(host: str, port: int) -> Sample | None:
    """What the worker has counted so far; None when it does not answer."""
    connection = HTTPConnection(host, port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        text = answer.read().decode()
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
    if answer.status != _OK:
        return None
    families = text_string_to_metric_families(text)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value for each in families for sample in each.samples
    }


def total(samples: Iterable[Sample], name: str, **labels: str) -> int:
    """The sum of a counter over all workers and over all labels that are not given."""
    return int(sum(_matching(samples, name, labels)))


def buckets(samples: Iterable[Sample], name: str, **labels: str) -> Mapping[float, float]:
    """The cumulative buckets of a histogram, summed over all workers, by upper bound."""
    summed: defaultdict[float, float] = defaultdict(float)
    for sample in samples:
        for (found, pairs), value in sample.items():
            if found == f"{name}_bucket" and labels.items() <= dict(pairs).items():
                summed[float(dict(pairs)["le"])] += value
    return summed


def _matching(samples: Iterable[Sample], name: str, labels: Mapping[str, str]) -> Iterable[float]:
    for sample in samples:
        for (found, pairs), value in sample.items():
            if found == name and labels.items() <= dict(pairs).items():
                yield value
