"""Thinning: thousands of runs as some dozens of marks that a page can hold, each run in one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from cronicorn.web.timeline.scene import RunMark, Scene

MARKS_MAX = 72
"""So many runs are drawn one by one."""
COLUMNS = 48
"""Of more, those of each column of the span are counted together, by how they fared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Runs that are drawn as one mark: they began near each other and fared alike."""

    fared: str
    runs: Sequence[RunMark]

    @property
    def first_at(self) -> datetime:
        return self.runs[0].at

    @property
    def last_at(self) -> datetime:
        return self.runs[-1].at

    @property
    def middle(self) -> datetime:
        return self.first_at + (self.last_at - self.first_at) / 2

    @property
    def gap(self) -> timedelta | None:
        """The median distance between these runs and those before them."""
        gaps = [run.gap for run in self.runs if run.gap is not None]
        return _median(gaps) if gaps else None


def clustered(scene: Scene) -> Sequence[Cluster]:
    """All runs of *scene*, each in one cluster; as many clusters as runs while these are MARKS_MAX at most."""
    if len(scene.runs) <= MARKS_MAX:
        return [Cluster(fared=run.fared, runs=(run,)) for run in scene.runs]
    found = []
    for _, runs in groupby(scene.runs, key=lambda run: column_of(scene, run.at)):
        alike: dict[str, list[RunMark]] = {}
        for run in runs:
            alike.setdefault(run.fared, []).append(run)
        found += [Cluster(fared=each, runs=tuple(own)) for each, own in alike.items()]
    return found


def cadence(scene: Scene) -> Sequence[tuple[datetime, timedelta]]:
    """How far apart runs were: instants, and the distance to the run before; of many the median of each column."""
    known = [(run.at, run.gap) for run in scene.runs if run.gap is not None and run.gap > timedelta(0)]
    if len(known) <= MARKS_MAX:
        return known
    found = []
    for _, own in groupby(known, key=lambda each: column_of(scene, each[0])):
        points = list(own)
        found.append((points[-1][0], _median([gap for _, gap in points])))
    return found


def column_of(scene: Scene, at: datetime) -> int:
    """In which of the COLUMNS *at* lies."""
    share = (at - scene.since) / (scene.until - scene.since)
    return min(COLUMNS - 1, max(0, int(share * COLUMNS)))


def _median(gaps: Sequence[timedelta]) -> timedelta:
    return sorted(gaps)[len(gaps) // 2]
