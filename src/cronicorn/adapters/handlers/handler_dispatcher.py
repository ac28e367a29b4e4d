"""Calls answered by functions of this process instead of servers.

A handler is known by an ordinary URL (say `http://app.internal/cleanup`), so that an endpoint neither knows nor cares
whether it is answered here or, one day, by a service of its own.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from cronicorn.domain.call import Call, Outcome, OutcomeKind
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.outgoing import call_facts
from cronicorn.domain.ports import Dispatcher
from cronicorn.domain.target import parse_target

Handler = Callable[[Call], Awaitable[object]]
"""Answers a call with a JSON value (status 200), None (status 204) or an `Outcome` of its own making."""

log = logging.getLogger(__name__)


class HandlerDispatcher(Dispatcher):
    """Makes a call by awaiting the handler of its URL, whatever the query; other URLs go to *otherwise*.

    A handler that raises has failed with status 500; its exception is logged. So has one that lets out the
    CancelledError of something that it awaited. One that outlives the call's time limit is cancelled.
    """

    def __init__(self, handlers: Mapping[str, Handler], otherwise: Dispatcher | None = None) -> None:
        """Raises InvalidInputError for a URL that no endpoint could have."""
        self._handlers = {_place(url): handler for url, handler in handlers.items()}
        self._otherwise = otherwise

    async def dispatch(self, call: Call) -> Outcome:
        try:
            handler = self._handlers.get(_place(call.url))
        except InvalidInputError as error:
            return Outcome(kind=OutcomeKind.REFUSED, duration=timedelta(0), error=str(error))
        if handler is not None:
            return await _handled(handler, call)
        if self._otherwise is not None:
            return await self._otherwise.dispatch(call)
        return Outcome(kind=OutcomeKind.UNRESOLVED, duration=timedelta(0), error="No handler answers this URL.")


async def _handled(handler: Handler, call: Call) -> Outcome:
    loop = asyncio.get_running_loop()
    started = loop.time()
    limit = asyncio.timeout(call.timeout.total_seconds())
    try:
        async with limit:
            answer = await handler(call)
        if isinstance(answer, Outcome):
            return answer
        body = None if answer is None else json.dumps(answer, ensure_ascii=False, allow_nan=False)
    except (Exception, asyncio.CancelledError) as error:
        if isinstance(error, asyncio.CancelledError) and _cancelled_by_us():
            raise
        duration = timedelta(seconds=loop.time() - started)
        if limit.expired() and isinstance(error, TimeoutError):
            return Outcome(kind=OutcomeKind.TIMED_OUT, duration=duration, error="The handler took too long.")
        log.exception("handler_failed", extra=call_facts(call))
        said = f"The handler raised {type(error).__name__}."
        return Outcome(kind=OutcomeKind.RESPONDED, duration=duration, status_code=500, error=said)
    return _answered(body, timedelta(seconds=loop.time() - started), call.response_bytes_max)


def _cancelled_by_us() -> bool:
    """Whether somebody wants this task to end, rather than one that it waited for has ended so."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _answered(body: str | None, duration: timedelta, bytes_max: int) -> Outcome:
    if body is None:
        return Outcome(kind=OutcomeKind.RESPONDED, duration=duration, status_code=204)
    encoded = body.encode("utf-8", "replace")
    fits = len(encoded) <= bytes_max
    return Outcome(
        kind=OutcomeKind.RESPONDED,
        duration=duration,
        status_code=200,
        headers=(("content-type", "application/json"),),
        body=body if fits else encoded[:bytes_max].decode("utf-8", "ignore"),
        body_is_json=fits,
        body_truncated=not fits,
    )


def _place(url: str) -> str:
    target = parse_target(url)
    site = target.site
    return f"{site.scheme}://{site.host}:{site.port}{target.path.partition('?')[0]}"
