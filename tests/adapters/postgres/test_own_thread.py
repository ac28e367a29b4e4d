"""A thread of one's own, on a machine that has no room for it just then."""

import asyncio
import errno
from threading import Thread
from typing import Never

import pytest

from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.postgres.own_thread import OwnThread
from cronicorn.adapters.postgres.queries import PlainConnection
from cronicorn.domain.errors import UnavailableError
from tests.servers.process import free_port


def _no_descriptor() -> Never:
    raise OSError(errno.EMFILE, "Too many open files")


def _no_thread(_: Thread) -> Never:
    raise RuntimeError("can't start new thread")


@pytest.mark.parametrize(
    ("of", "name", "lack", "said"),
    [
        (asyncio, "new_event_loop", _no_descriptor, "Too many open files"),
        (Thread, "start", _no_thread, "no room for one more thread"),
    ],
)
def test_a_lack_of_room_is_no_crash_and_passes(
    monkeypatch: pytest.MonkeyPatch, of: object, name: str, lack: object, said: str
) -> None:
    thread = OwnThread(f"postgresql://nobody@127.0.0.1:{free_port()}/none", PostgresOptions(), "short")
    with monkeypatch.context() as machine:
        machine.setattr(of, name, lack)
        with pytest.raises(UnavailableError, match=said):
            thread.run(_nothing)

    heard: list[str] = []
    asking = Thread(target=_ask, args=(thread, heard), daemon=True)
    asking.start()
    asking.join(20)
    assert heard
    assert "can't be reached" in heard[0]  # So the thread runs now, and has tried.
    thread.close()


def _ask(thread: OwnThread, heard: list[str]) -> None:
    try:
        thread.run(_nothing)
    except UnavailableError as error:
        heard.append(str(error))


async def _nothing(_: PlainConnection) -> None:
    raise AssertionError("there is no server to do anything on")
