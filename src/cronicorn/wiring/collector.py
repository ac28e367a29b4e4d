"""Python's collector of cycles, as a process wants it that runs for months and makes thousands of values a second."""

import gc

_YOUNG_MAX = 50_000
"""So many more values made than dropped before the young ones are looked through; 700 by default."""
_OF_A_CALL = 64
"""So many more for each call that may be in progress: they are made when it begins, and dropped when it ends."""
_OLDER_EVERY = 20


def collect_rarely(calls_max: int) -> None:
    """Look for cycles less often, and never again among what the start has loaded; *calls_max* are in progress at most.

    A run is made of values without cycles, and those go by themselves. With the defaults a worker spends an eighth of
    its time walking over modules and what it keeps at hand (`python -m benchmarks drain`), and one with 2,000 calls
    in progress a tenth of it walking over these (`python -m benchmarks slow-targets`).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_MAX + _OF_A_CALL * calls_max, _OLDER_EVERY, _OLDER_EVERY)
