"""One line of `cronicorn plan`: an instant and the state of an endpoint, in the shape of the golden samples."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from cronicorn.cli.instants import read_instant
from cronicorn.domain.call import Request
from cronicorn.domain.endpoint import Baseline, EndpointState, JobEndpoint
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.hint import Author, Hint, HintKind
from cronicorn.domain.sentence import as_sentence

MILLISECONDS_MAX = 10**15
"""No length of time in a line is over 31,000 years."""
FAILURES_MAX = 10**9
_NAME_MAX = 40


def read_case(line: bytes) -> tuple[datetime, JobEndpoint]:
    """The instant and the endpoint that *line* describes. Raises InvalidInputError with all that is wrong with it."""
    try:
        case = json.loads(line)
    except (ValueError, RecursionError) as error:
        what = f"{error.msg} at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else _short(error)
        raise InvalidInputError(as_sentence(f"The line is not JSON: {what}")) from None
    fields = _checked(case, {"now": True, "endpoint": True, "expect": False}, "the line")
    now = _read("now", fields["now"], _instant)
    given = _checked(fields["endpoint"], dict.fromkeys(_READERS, False), "endpoint")
    values = {name: _read(f"endpoint.{name}", given.get(name), read) for name, read in _READERS.items()}
    return now, _endpoint(now, values)


def _endpoint(now: datetime, values: Mapping[str, Any]) -> JobEndpoint:
    return JobEndpoint(
        id="endpoint",
        tenant_id="local",
        job_id="job",
        name="endpoint",
        request=Request(url=""),
        baseline=Baseline(cron=values["baseline_cron"], interval=values["baseline_interval_ms"]),
        created_at=now,
        updated_at=now,
        interval_min=values["min_interval_ms"] or None,
        interval_max=values["max_interval_ms"] or None,
        state=EndpointState(
            failure_count=values["failure_count"], last_run_at=values["last_run_at"], hints=_hints(now, values)
        ),
    )


def _hints(now: datetime, values: Mapping[str, Any]) -> tuple[Hint, ...]:
    """A hint without expiry never counts; a zero interval means that there is none."""
    hints = []
    expires_at, until = values["ai_hint_expires_at"], values["paused_until"]
    if expires_at is not None and values["ai_hint_interval_ms"]:
        interval = values["ai_hint_interval_ms"]
        hints.append(
            Hint(kind=HintKind.INTERVAL, author=Author.MODEL, written_at=now, expires_at=expires_at, interval=interval)
        )
    if expires_at is not None and values["ai_hint_next_run_at"] is not None:
        at = values["ai_hint_next_run_at"]
        hints.append(Hint(kind=HintKind.ONE_SHOT, author=Author.MODEL, written_at=now, expires_at=expires_at, at=at))
    if until is not None:
        hints.append(Hint(kind=HintKind.PAUSE, author=Author.PERSON, written_at=now, expires_at=until, at=until))
    return tuple(hints)


def _checked(value: object, known: Mapping[str, bool], what: str) -> Mapping[str, Any]:
    """*value* if it is an object with all required and no unknown fields; *known* says which are required."""
    if not isinstance(value, dict):
        raise InvalidInputError(f"{what.capitalize()} must be an object.")
    missing = [name for name, required in known.items() if required and name not in value]
    if missing:
        raise InvalidInputError(f"{what.capitalize()} lacks {', '.join(missing)}.")
    unknown = [name for name in value if name not in known]
    if unknown:
        names = ", ".join(_short(name) + _meant(name, known) for name in unknown[:5])
        raise InvalidInputError(f"{what.capitalize()} has unknown fields: {names}.")
    return value


def _meant(name: str, known: Mapping[str, bool]) -> str:
    """The field that the camelCase *name* means, if any: the wire format of REST and files writes them so."""
    snake = re.sub(r"(?=[A-Z])", "_", name[:_NAME_MAX]).lower()
    return f" (write {snake})" if snake in known else ""


def _read(name: str, value: object, read: Callable[[object], Any]) -> Any:
    try:
        return read(value)
    except ValueError as error:
        raise InvalidInputError(f"{name} must be {error}, not {_short(json.dumps(value))}.") from None


def _instant(value: object) -> datetime:
    if isinstance(value, str):
        try:
            return read_instant(value)
        except InvalidInputError:
            pass
    raise ValueError("an instant with its offset, such as 2026-01-31T09:30:00.000Z")


def _whole(value: object, most: int) -> int:
    """Negative numbers too: no door lets them in, but old rows hold them and the planner accepts every state."""
    if isinstance(value, int) and not isinstance(value, bool) and -most <= value <= most:
        return value
    raise ValueError(f"a whole number of at most {most}")


def _milliseconds(value: object) -> timedelta | None:
    return None if value is None else timedelta(milliseconds=_whole(value, MILLISECONDS_MAX))


def _instant_or_null(value: object) -> datetime | None:
    return None if value is None else _instant(value)


def _text_or_null(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise ValueError("a text or null")


def _failures(value: object) -> int:
    return 0 if value is None else _whole(value, FAILURES_MAX)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:40]}…"  # noqa: PLR2004 (enough to know it again)


_READERS: Mapping[str, Callable[[object], Any]] = {
    "baseline_cron": _text_or_null,
    "baseline_interval_ms": _milliseconds,
    "ai_hint_interval_ms": _milliseconds,
    "ai_hint_next_run_at": _instant_or_null,
    "ai_hint_expires_at": _instant_or_null,
    "min_interval_ms": _milliseconds,
    "max_interval_ms": _milliseconds,
    "paused_until": _instant_or_null,
    "last_run_at": _instant_or_null,
    "failure_count": _failures,
}
