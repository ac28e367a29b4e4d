"""How log records are written: one event a line, its facts beside it.

An event is a snake_case constant; its facts travel in `extra`. Neither holds secrets, headers or bodies.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import TextIO

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
_QUIET = ("alembic", "asyncio", "sqlalchemy", "uvicorn", "uvicorn.error")


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
        return json.dumps(entry, default=str, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """For people: the time, the level, the event and `name=value` facts on one line."""

    def format(self, record: logging.LogRecord) -> str:
        pairs = [f"{name}={_word(value)}" for name, value in facts_of(record).items() if value is not None]
        head = f"{_at(record)[11:23]} {record.levelname.lower():<7} {record.getMessage():<20}"
        line = " ".join([head, *pairs]).rstrip()
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
    handler.setFormatter(TextFormatter() if as_text else JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _at(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _word(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if not text or any(c.isspace() or c in '"=' for c in text) else text
