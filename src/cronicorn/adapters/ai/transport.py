"""HTTP to a model, with a bound on what comes back: a server that never stops talking must not fill the memory."""

from collections.abc import AsyncIterator

import httpx2

_ANSWER_BYTES_MAX = 512 << 10
"""Beyond all that an answer of the tokens allowed can be; reading more would hold up whoever shares the process."""


class BoundedTransport(httpx2.AsyncHTTPTransport):
    """Breaks an answer off once it is too long to be one."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.headers["Accept-Encoding"] = "identity"  # What is bounded is what arrives, not what it unpacks to.
        response = await super().handle_async_request(request)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Bounded(response.stream)
        return response


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        async for chunk in self._stream:
            received += len(chunk)
            if received > _ANSWER_BYTES_MAX:
                raise httpx2.ReadError("the answer is too long")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
