"""The runs of a timeline as rows of a table, which say what the drawing shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cronicorn.web.timeline.scene import Scene
from cronicorn.web.timeline.thinning import Cluster, clustered


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineRow:
    """Runs that are drawn as one mark."""

    first_at: datetime
    last_at: datetime
    fared: str
    runs: int
    gap: timedelta | None
    """The usual distance to the run before."""
    told: str
    run_id: str | None
    """Of a run that has a mark of its own."""


def timeline_rows(scene: Scene) -> Sequence[TimelineRow]:
    """All runs of *scene*, oldest first."""
    return [
        TimelineRow(
            first_at=each.first_at, last_at=each.last_at, fared=each.fared, runs=len(each.runs), gap=each.gap,
            told=_told(each), run_id=each.runs[0].id if len(each.runs) == 1 else None,
        )
        for each in clustered(scene)
    ]  # fmt: skip


def _told(cluster: Cluster) -> str:
    sources = sorted({run.source for run in cluster.runs})
    told = cluster.runs[0].told if len(cluster.runs) == 1 else ""
    return "; ".join(part for part in (told, ", ".join(sources)) if part)
