"""`cronicorn plan`: plan many endpoints from JSON lines, without a store."""

import sys
from collections.abc import Iterator
from typing import IO

LINE_MAX = 1_048_576
"""A longer line is refused unread."""


def plan() -> None:
    """Read JSON lines from stdin and answer each with its plan, or with what is wrong with it.

    In:  {"now": "2026-01-31T09:30:00.000Z", "endpoint": {"baseline_cron": "0 * * * *", ...}}

    Out: {"next_run_at": "2026-01-31T10:00:00.000Z", "source": "baseline-cron", "trace": [...]}

    The answers come in the order of the lines; a bad line is answered {"error": "..."} and the next one goes on.

    Example: cronicorn plan < endpoints.jsonl
    """
    import json

    from cronicorn.cli.planned import PlanAnswers

    answers = PlanAnswers()
    for line in _lines(sys.stdin.buffer):
        sys.stdout.write(json.dumps(answers.to(line)) + "\n")
        sys.stdout.flush()


def _lines(stream: IO[bytes]) -> Iterator[bytes | None]:
    """The lines of *stream* without their ends; None for one that is too long."""
    while line := stream.readline(LINE_MAX + 1):
        if line.endswith(b"\n") or len(line) <= LINE_MAX:
            yield line.rstrip(b"\r\n")
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(LINE_MAX)
        yield None
