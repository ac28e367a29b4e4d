"""Saying that a worker is there, beside its loop: for whoever asks which there are. No work depends on it."""

import asyncio
import logging
from contextlib import suppress

from cronicorn.domain.attendance.ports import WorkerBook
from cronicorn.domain.attendance.worker import NOTED_EVERY, WorkerReport
from cronicorn.domain.errors import UnavailableError

log = logging.getLogger(__name__)

_LEAVES_WITHIN_S = 2.0


async def attend(book: WorkerBook, report: WorkerReport) -> None:
    """Note *report* every NOTED_EVERY until cancelled; then say that the worker has left."""
    try:
        while True:
            try:
                await book.note(report)
            except UnavailableError as error:
                log.warning("worker_not_noted", extra={"worker": report.worker_id, "reason": str(error)})
            await asyncio.sleep(NOTED_EVERY.total_seconds())
    finally:
        with suppress(UnavailableError, TimeoutError):
            async with asyncio.timeout(_LEAVES_WITHIN_S):
                await book.leave(report.worker_id)
