"""Requests that may be sent again: one with a key is carried out once, and answered alike as often as it comes."""

from cronicorn.control.identity import NewId
from cronicorn.domain.errors import (
    ConflictError,
    IdempotencyKeyReusedError,
    OutcomeUnknownError,
    RequestInProgressError,
)
from cronicorn.domain.repeating.keyed import KEPT, PATIENCE, KeptAnswer, KeyedRequest
from cronicorn.domain.repeating.ports import KeyedRequests


class Repeats:
    """Who carries out a request with a key.

    A process that dies after it did what was asked for and before it kept the answer leaves that in doubt: whoever
    sends the request again is told so, and nothing is done twice.
    """

    def __init__(self, requests: KeyedRequests, new_id: NewId) -> None:
        self._requests = requests
        self._new_id = new_id

    async def begin(self, tenant_id: str, key: str, fingerprint: str) -> KeyedRequest | KeptAnswer:
        """The request, for whoever is to carry it out; or what it was answered before.

        Raises IdempotencyKeyReusedError where another request has the key, RequestInProgressError while it is carried
        out, OutcomeUnknownError where nobody can say whether it was, ConflictError where its answer was not kept.
        """
        request = KeyedRequest(tenant_id=tenant_id, key=key, fingerprint=fingerprint, claim_id=self._new_id("request"))
        known = await self._requests.begin(request, KEPT)
        if known is None:
            return request
        if known.fingerprint != fingerprint:
            raise IdempotencyKeyReusedError("This Idempotency-Key came with another request: send a new one with each.")
        if known.answer is None and known.now - known.begun_at < PATIENCE:
            raise RequestInProgressError("The request with this Idempotency-Key is being carried out: wait for it.")
        if known.answer is None or known.answer.in_doubt:
            raise OutcomeUnknownError(
                "Whoever carried out the request with this Idempotency-Key did not come to an end, so it may have been "
                "done or not: look, and send it with a new key if it was not."
            )
        if known.answer.body is None:
            raise ConflictError(
                "The request with this Idempotency-Key was carried out. Its answer is not kept, since it held a secret "
                "or was long."
            )
        return known.answer

    async def end(self, request: KeyedRequest, answer: KeptAnswer) -> None:
        """Keep what *request* was answered."""
        await self._requests.end(request, answer)

    async def leave_in_doubt(self, request: KeyedRequest, status: int) -> None:
        """Say that nobody knows how far *request* came, which was answered a *status* of 500 or more."""
        await self._requests.end(request, KeptAnswer(status=status, fields=(), body=None))

    async def withdraw(self, request: KeyedRequest) -> None:
        """Say that nothing was done, so that *request* may be sent again."""
        await self._requests.withdraw(request)
