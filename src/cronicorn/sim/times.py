"""Times of a scenario as people read them."""

_MINUTE, _HOUR = 60, 3_600


def clocked(time: float) -> str:
    """Seconds since the start as `0:06:20`; what is less than a tenth of a second is left out."""
    tenths = int(time * 10)
    seconds, tenth = divmod(tenths, 10)
    shown = f"{seconds // _HOUR}:{seconds % _HOUR // _MINUTE:02}:{seconds % _MINUTE:02}"
    return f"{shown}.{tenth}" if tenth else shown


def spanned(seconds: float) -> str:
    """A length as `45 s`, `2 min 30 s` or `3 h 20 min`; to a tenth of a second below a minute."""
    if seconds < _MINUTE - 0.05:
        return f"{round(seconds, 1):g} s"
    whole = round(seconds)
    large, small, unit, part = (
        (whole // _MINUTE, whole % _MINUTE, "min", "s")
        if whole < _HOUR
        else (whole // _HOUR, whole % _HOUR // _MINUTE, "h", "min")
    )
    return f"{large} {unit} {small} {part}" if small else f"{large} {unit}"
