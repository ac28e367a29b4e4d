"""How log records are written: one event a line, its facts beside it.

An event is a snake_case constant; its facts travel in `extra`. Neither holds secrets, headers or bodies.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import TextIO

from cronicorn.api.request_context import REQUEST_NOW

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
_MARKS = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "WARN", logging.ERROR: "ERROR"}
_FIRST = ("endpoint", "status", "status_code", "outcome", "duration", "late", "next")
"""In text these come first, in this order."""
_USUAL = {"attempt": 1, "failure_count": 0, "skipped": 0, "outcome": "responded"}
"""In text a fact is left out when it says no more than this."""
_QUIET = (
    "alembic", "anthropic", "asyncio", "google_genai", "httpx2", "mcp", "openai", "sqlalchemy", "uvicorn",
    "uvicorn.error",
)  # fmt: skip


_ENDS_OF_LINES = {ord(each): f"\\u{ord(each):04x}" for each in "\x85\u2028\u2029"}
"""What ends a line for some who read it, and JSON may hold as it is: a path that was asked for may have it."""


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `at`, `level`, `event`, `logger`, then the facts."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "at": _at(record),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
        }
        entry |= {name: value for name, value in facts_of(record).items() if name not in entry}
        if record.exc_info:
            entry["traceback"] = "".join(traceback.format_exception(*record.exc_info)).rstrip()
        return json.dumps(entry, default=str, ensure_ascii=False).translate(_ENDS_OF_LINES)


class TextFormatter(logging.Formatter):
    """For people: time, level, event and the facts that matter first, on one line. The tenant's id is left out."""

    def format(self, record: logging.LogRecord) -> str:
        pairs = [f"{name}={_word(value)}" for name, value in _told(record)]
        mark = _MARKS.get(record.levelno, record.levelname)
        line = " ".join([f"{_at(record)[11:23]} {mark:<5} {record.getMessage()}", *pairs])
        if record.exc_info:
            line += "\n" + "".join(traceback.format_exception(*record.exc_info)).rstrip()
        return line


def facts_of(record: logging.LogRecord) -> dict[str, object]:
    """What was given as `extra`."""
    return {name: value for name, value in vars(record).items() if name not in _OWN}


def configure_logging(level: str, form: str, stream: TextIO | None = None) -> None:
    """Write records of *level* and above to *stream* (stderr) as *form*: text, json or auto."""
    stream = stream if stream is not None else sys.stderr
    handler = logging.StreamHandler(stream)
    as_text = form == "text" or (form == "auto" and stream.isatty())
    handler.addFilter(_with_request)
    handler.setFormatter(TextFormatter() if as_text else JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _with_request(record: logging.LogRecord) -> bool:
    """Let *record* name the request during which it was written."""
    request_id = REQUEST_NOW.get()
    if request_id is not None and not hasattr(record, "request"):
        record.request = request_id
    return True


def _at(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _told(record: logging.LogRecord) -> list[tuple[str, object]]:
    """What a person is told: names without units, the usual left out, what matters first."""
    told: dict[str, object] = {}
    for name, value in facts_of(record).items():
        if value is None or name == "tenant" or _USUAL.get(name) == value:
            continue
        if name.endswith("_ms") and isinstance(value, int | float):
            told[name.removesuffix("_ms")] = f"{value:.0f}ms" if value < 1_000 else f"{value / 1_000:.1f}s"  # noqa: PLR2004
        elif name == "next_run_at":
            told["next"] = _short_instant(str(value), record)
        else:
            told[name] = value
    return sorted(told.items(), key=lambda pair: _FIRST.index(pair[0]) if pair[0] in _FIRST else len(_FIRST))


def _short_instant(text: str, record: logging.LogRecord) -> str:
    """The instant *text*, without its date where that is the record's."""
    date, _, time = text.partition("T")
    return f"{time[:8]}Z" if date == _at(record)[:10] else f"{text[:19]}Z"


def _word(value: object) -> str:
    text = str(value)
    if not text.isprintable():  # A terminal would take it for a command.
        return json.dumps(text)
    return json.dumps(text, ensure_ascii=False) if not text or any(c.isspace() or c in '"=' for c in text) else text
