"""A small client of Cronicorn's REST interface: one connection, JSON in and out."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPConnection, RemoteDisconnected
from typing import Any
from urllib.parse import urlencode

_TIMEOUT_S = 10.0


class RestError(Exception):
    """The interface refused a call. The message says which and why."""


class Rest:
    """Cronicorn at one address, with one key."""

    def __init__(self, host: str, port: int, api_key: str) -> None:
        self.url = f"http://{host}:{port}"
        self._connection = HTTPConnection(host, port, timeout=_TIMEOUT_S)
        self._headers = {"x-api-key": api_key, "content-type": "application/json"}

    def get(self, path: str, **query: object) -> Any:
        """The JSON (or text) at *path*. Raises RestError for any status but 2xx, OSError when nobody answers."""
        return self._call("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, body: Mapping[str, object] | None = None) -> Any:
        """What the call answers. Raises as `get` does."""
        return self._call("POST", path, body if body is not None else {})

    def delete(self, path: str) -> None:
        """Call DELETE on *path*. Raises as `get` does."""
        self._call("DELETE", path)

    def _call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        status, content, text = self._exchange(method, path, data)
        answer = json.loads(text) if text and "json" in content else text.decode("utf-8", "replace")
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            reason = answer.get("message") if isinstance(answer, dict) else answer
            raise RestError(f"{method} {path} answered {status}: {reason}")
        return answer

    def _exchange(self, method: str, path: str, data: bytes | None) -> tuple[int, str, bytes]:
        try:
            self._connection.request(method, path, data, self._headers)
            response = self._connection.getresponse()
            return response.status, response.headers.get("content-type", ""), response.read()
        except (OSError, RemoteDisconnected):
            self._connection.close()  # so that the next call opens a new one
            raise
