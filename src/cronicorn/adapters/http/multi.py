"""Run libcurl transfers on an asyncio event loop."""

import asyncio
import logging
import math
import selectors

import pycurl

log = logging.getLogger(__name__)

_EVENTS = {
    pycurl.POLL_IN: selectors.EVENT_READ,
    pycurl.POLL_OUT: selectors.EVENT_WRITE,
    pycurl.POLL_INOUT: selectors.EVENT_READ | selectors.EVENT_WRITE,
}
_ACTIONS = {
    selectors.EVENT_READ: pycurl.CSELECT_IN,
    selectors.EVENT_WRITE: pycurl.CSELECT_OUT,
    selectors.EVENT_READ | selectors.EVENT_WRITE: pycurl.CSELECT_IN | pycurl.CSELECT_OUT,
}


class MultiDriver:
    """One libcurl multi handle on the running event loop (any loop with `add_reader`, uvloop too).

    libcurl's callbacks run inside `socket_action`, where the multi handle must not be touched: they only note what is
    wanted. Transfers that ended are collected after the actions of a turn.

    The loop watches one selector that watches all sockets. libcurl lets go of a socket after each transfer and asks for
    it again with the next one; it stays watched meanwhile, which saves two system calls for each call. A socket that
    libcurl closes leaves the selector by itself, and never was the loop's, so its number may become anyone's.
    """

    def __init__(self, *, connections_max: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self._multi.setopt(pycurl.M_MAXCONNECTS, connections_max)
        self._live: dict[pycurl.Curl, asyncio.Future[tuple[int, str]]] = {}
        self._selector = selectors.DefaultSelector()
        self._loop.add_reader(self._selector, self._on_news)
        self._wanted: dict[int, int] = {}
        """For which events libcurl waits, by socket."""
        self._watched: dict[int, int] = {}
        """For which events sockets are watched. Some were closed by now."""
        self._soon: asyncio.Handle | None = None
        self._due_at = math.inf
        self._alarm: asyncio.Handle | None = None
        self._alarm_at = math.inf

    def start(self, curl: pycurl.Curl) -> asyncio.Future[tuple[int, str]]:
        """Begin the transfer that *curl* is set up for; answer libcurl's code (0 is success) and its message.

        Whoever waits for it calls `release` in any case.
        """
        future: asyncio.Future[tuple[int, str]] = self._loop.create_future()
        self._live[curl] = future
        self._multi.add_handle(curl)
        return future

    def release(self, curl: pycurl.Curl) -> None:
        """Take *curl* back. A transfer that still runs ends, and its connection is closed."""
        if curl in self._live:
            self._release(curl)

    def abort(self, curl: pycurl.Curl, code: int) -> None:
        """End the transfer of *curl*, if it still runs, with *code*, and close its connection."""
        future = self._release(curl)
        if future is not None and not future.done():
            future.set_result((code, "aborted"))

    def close(self) -> None:
        """Close the multi handle. All transfers must have ended."""
        assert not self._live, "Transfers are still running."
        if self._selector.get_map() is None:
            return  # Closed before.
        self._multi.close()
        for handle in (self._soon, self._alarm):
            if handle is not None:
                handle.cancel()
        self._loop.remove_reader(self._selector)
        self._selector.close()

    def forget(self, fd: int) -> None:
        """Watch *fd* no more: it is a new socket, whatever had that number before."""
        if self._watched.pop(fd, None) is not None:
            self._selector.unregister(fd)

    def _release(self, curl: pycurl.Curl) -> asyncio.Future[tuple[int, str]] | None:
        future = self._live.pop(curl, None)
        if future is not None and curl.multi() is not None:
            self._multi.remove_handle(curl)
        return future

    def _on_socket(self, what: int, fd: int, multi: pycurl.CurlMulti, data: object) -> None:
        """Watch *fd* for what libcurl waits for, or note that it waits no more (libcurl's CURLMOPT_SOCKETFUNCTION)."""
        if what == pycurl.POLL_REMOVE:
            self._wanted.pop(fd, None)
            return
        self._wanted[fd] = what
        if self._watched.get(fd) != what:
            self.forget(fd)
            self._selector.register(fd, _EVENTS[what])
            self._watched[fd] = what

    def _on_news(self) -> None:
        """Act on the sockets that have something. What comes on one that lies idle is seen before it is used again."""
        for key, events in self._selector.select(0):
            if key.fd in self._wanted:
                self._act(key.fd, _ACTIONS[events])
            else:
                self.forget(key.fd)
        self._collect()

    def _on_timer(self, delay_ms: int) -> None:
        """Call again after *delay_ms*, or never if negative (libcurl's CURLMOPT_TIMERFUNCTION)."""
        if delay_ms > 0:
            now = self._loop.time()
            self._due_at = now + delay_ms / 1000
            if self._due_at < self._alarm_at:
                self._set_alarm(now)
            return
        self._due_at = math.inf
        if delay_ms == 0 and self._soon is None:
            self._soon = self._loop.call_soon(self._on_soon)

    def _on_soon(self) -> None:
        self._soon = None
        self._act(pycurl.SOCKET_TIMEOUT, 0)
        self._collect()

    def _on_alarm(self) -> None:
        """Act when something is due. Most transfers end long before, and then the alarm is only set anew."""
        now = self._loop.time()
        is_due = self._due_at <= now
        if is_due:
            self._due_at = math.inf
        self._set_alarm(now)
        if is_due:
            self._act(pycurl.SOCKET_TIMEOUT, 0)
            self._collect()

    def _set_alarm(self, now: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = None if self._due_at == math.inf else self._loop.call_later(self._due_at - now, self._on_alarm)
        self._alarm_at = self._due_at

    def _act(self, fd: int, events: int) -> None:
        try:
            self._multi.socket_action(fd, events)
        except pycurl.error:
            log.exception("curl_action_failed")

    def _collect(self) -> None:
        left = 1
        while left:
            left, done, failed = self._multi.info_read()
            for curl in done:
                self._finish(curl, pycurl.E_OK, "")
            for curl, code, message in failed:
                self._finish(curl, code, message)

    def _finish(self, curl: pycurl.Curl, code: int, message: str) -> None:
        future = self._release(curl)
        if future is not None and not future.done():
            future.set_result((code, message))
