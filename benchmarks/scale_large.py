"""`scale` with a million endpoints and ten million runs: half an hour, and 20 GB of disk."""

from benchmarks.scale import LARGE, SIZES, show


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show."""
    show("scale-large", SIZES[:1] if quick else LARGE, as_json=as_json, quick=quick)
