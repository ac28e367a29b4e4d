"""Connections that cost us something end: how long a client is waited for, and how many clients there may be.

Strangers come this far, so nothing here may grow with what they send: requests of a connection are read one at a time,
and every wait for a client has an end.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from cronicorn.wiring.descriptors import clients_max

_CONNECTIONS_MAX = 1_000
_WARNING_EVERY_S = 60.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long clients are waited for, in seconds, and how many there may be."""

    head_s: float = 10.0
    """For a whole request head, from the connection or from its first byte; also for a body that nobody reads."""
    idle_s: float = 30.0
    """Between an answer and the next request."""
    answer_s: float = 60.0
    """For an answer to be taken."""
    connections_max: int = _CONNECTIONS_MAX

    @classmethod
    def for_this_process(cls) -> "Patience":
        """Patience that leaves three quarters of the process's file descriptors to others."""
        return cls(connections_max=clients_max())


class Refusals:
    """Tells of refused connections, at most once a minute."""

    def __init__(self) -> None:
        self._untold = 0
        self._quiet_until = float("-inf")

    def count(self, now: float, connections_max: int) -> None:
        """One more was refused at *now* of the loop's clock."""
        self._untold += 1
        if now >= self._quiet_until:
            log.warning("connections_refused", extra={"refused": self._untold, "connections_max": connections_max})
            self._untold, self._quiet_until = 0, now + _WARNING_EVERY_S


class _Deadline:
    """Calls *missed* so many seconds after it was set, unless it is lifted before. Setting it again moves nothing."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, missed: Callable[[], None]) -> None:
        self._loop = loop
        self._seconds = seconds
        self._missed = missed
        self._timer: asyncio.TimerHandle | None = None

    def set(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._missed)

    def lift(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class PatientProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 with an end to its patience.

    Its parent reads nothing while a pipelined request waits, bounds the head and closes idle connections. Here are a
    limit on connections, on the time for a head, and on the time for taking an answer.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        patience: Patience,
        refusals: Refusals,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._patience = patience
        self._refusals = refusals
        self._request_due = _Deadline(self.loop, patience.head_s, self._give_up)
        self._taking_due = _Deadline(self.loop, patience.answer_s, self._give_up)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if len(self.connections) >= self._patience.connections_max:
            self.transport = transport
            self._refusals.count(self.loop.time(), self._patience.connections_max)
            transport.abort()
            return
        super().connection_made(transport)
        self._expect(owed=True)

    def connection_lost(self, exc: Exception | None) -> None:
        self._request_due.lift()
        self._taking_due.lift()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._expect(owed=self.conn.their_state is h11.IDLE or self._is_body_unwanted)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        half_a_head = self.conn.their_state is h11.IDLE and self.conn.trailing_data[0] != b""
        self._expect(owed=half_a_head or self._is_body_unwanted)

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._expect(owed=False)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._taking_due.set()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.transport.is_closing():
            self._taking_due.lift()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP. A request that is being answered hears that its client is gone."""
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            super().send_400_response(msg)
        else:
            self.transport.abort()

    def shutdown(self) -> None:
        if not self.transport.is_closing():
            super().shutdown()
            self._expect(owed=False)

    def _should_upgrade(self) -> bool:
        return False  # An offer to change the protocol may be ignored (RFC 9110, 7.8), and is not worth a warning.

    @property
    def _is_body_unwanted(self) -> bool:
        """Whether the request is answered, and its body still on the way."""
        return self.conn.their_state is h11.SEND_BODY and self.conn.our_state is h11.DONE

    def _expect(self, *, owed: bool) -> None:
        """Mind how long the client owes us bytes; more of them do not win it more time."""
        if self.transport.is_closing():
            owed = False
            self._taking_due.set()
        if owed:
            self._request_due.set()
        else:
            self._request_due.lift()

    def _give_up(self) -> None:
        self.transport.abort()
