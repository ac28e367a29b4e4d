"""Forms that make something: what is sent twice, by a double click or after an answer that was lost, is made once."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from hashlib import sha256
from http import HTTPStatus
from typing import TypeVar

from cronicorn.control.identity import random_id
from cronicorn.control.repeats import Repeats
from cronicorn.control.statuses import status_of
from cronicorn.domain.errors import CronicornError, OutcomeUnknownError, RequestInProgressError, UnavailableError
from cronicorn.domain.repeating.keyed import KeptAnswer, KeyedRequest
from cronicorn.web.view import View

log = logging.getLogger(__name__)

T = TypeVar("T")
ONCE = "once"
"""The hidden field that tells one opened form from another."""
_LOCATION = "location"
_NOT_OF_IT = {"csrf"}
"""Another session's is another one, for the same form."""


def opened(view: View) -> str:
    """What the form that is shown carries as ONCE: what it came with, or something new."""
    return view.entered(ONCE) or random_id("form")


async def made_once(repeats: Repeats, view: View, making: Callable[[], Awaitable[str]]) -> str:
    """The path that *making* answers, or answered when the same form was sent before with the same in it.

    Raises what *making* raises, and ConflictError while it goes on, or where nobody can say whether it was done.
    """
    if not view.entered(ONCE):
        return await making()
    begun = await _begun(repeats, view)
    if isinstance(begun, KeptAnswer):
        return dict(begun.fields)[_LOCATION]
    try:
        path = await making()
    except UnavailableError as error:  # A store that is lost while it commits may have done so.
        with suppress(UnavailableError):
            await repeats.leave_in_doubt(begun, status_of(error))
        raise
    except CronicornError:
        await repeats.withdraw(begun)
        raise
    try:
        await repeats.end(begun, KeptAnswer(status=HTTPStatus.SEE_OTHER, fields=((_LOCATION, path),), body=""))
    except UnavailableError as error:  # It was carried out: that is what counts.
        log.warning("answer_not_kept", extra={"path": view.path, "reason": str(error)})
    return path


async def made_to_show(repeats: Repeats, view: View, making: Callable[[], Awaitable[T]]) -> T | None:
    """What *making* answers, which can be shown now alone; None when the same form was sent before. Raises as above."""
    made = list[T]()

    async def noted() -> str:
        made.append(await making())
        return view.back

    await made_once(repeats, view, noted)
    return made[0] if made else None


async def _begun(repeats: Repeats, view: View) -> KeyedRequest | KeptAnswer:
    try:
        return await repeats.begin(view.asker.tenant_id, f"form-{_digest(view)}", view.path.partition("?")[0])
    except RequestInProgressError:
        raise RequestInProgressError("What you sent is being carried out: wait a moment, and send it again.") from None
    except OutcomeUnknownError:
        raise OutcomeUnknownError(
            "This was sent before, and it may have been carried out or not: look, and open the form anew if it was not."
        ) from None


def _digest(view: View) -> str:
    digest = sha256((view.asker.actor_id or "").encode())
    for name, value in sorted(view.form.items()):
        if name not in _NOT_OF_IT:
            digest.update(b"%d:%d:" % (len(name.encode()), len(value.encode())) + f"{name}{value}".encode())
    return digest.hexdigest()
