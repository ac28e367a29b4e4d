"""What is wrong with a key, a session, a link or a password can't be told by how much is done about it.

Work is counted, not timed: a tracer notes every line of the control plane that runs. Below it is an index over hashes,
whose time tells nothing of what was hashed, and Argon2.
"""

import sys
from collections.abc import Awaitable
from types import FrameType
from typing import Any

import pytest

from cronicorn.control.accounts import SignInDocument
from cronicorn.domain.errors import UnauthenticatedError
from tests.architecture.source import PACKAGE
from tests.control.world import World, a_world

ADDRESS = "203.0.113.7"
CONTROL = str(PACKAGE / "control")
Line = tuple[str, int]


@pytest.fixture
async def opened() -> tuple[World, str]:
    world = a_world()
    first = await world.control.tenants.bootstrap(None)
    assert first is not None
    return world, first.key


async def lines_of(refused: Awaitable[object]) -> list[Line]:
    """Every line of the control plane that runs until *refused* is refused."""
    lines: list[Line] = []

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(CONTROL):
            return None
        if event == "line":
            lines.append((frame.f_code.co_filename, frame.f_lineno))
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with pytest.raises(UnauthenticatedError):
            await refused
    finally:
        sys.settrace(before)
    assert len(lines) > 5
    return lines


async def test_a_key_that_is_nearly_right_is_refused_by_the_same_lines_as_any_other(opened: tuple[World, str]) -> None:
    world, key = opened
    wrong = [
        key[:-1] + ("0" if key[-1] != "0" else "1"),
        key[:8] + "0" * (len(key) - 8),
        "x" * len(key),
        "ck_",
        "x" * 256,
    ]

    paths = [await lines_of(world.control.admittance.by_key(text)) for text in wrong]

    assert all(path == paths[0] for path in paths)


async def test_sessions_and_links_that_nobody_has_are_refused_by_the_same_lines(opened: tuple[World, str]) -> None:
    world, _ = opened

    async def link(text: str) -> object:
        return await world.control.accounts.sign_in(SignInDocument(token=text), ADDRESS)

    for ask, start in ((world.control.admittance.by_session, "cs_"), (link, "cl_")):
        paths = [await lines_of(ask(text)) for text in (f"{start}{'0' * 64}", "x" * 67)]
        assert paths[0] == paths[1]


async def test_a_login_that_nobody_has_is_refused_by_the_same_lines_as_a_wrong_password() -> None:
    """Argon2 is among them, with the same cost: `test_argon2_passwords.py` shows that."""
    paths = []
    for login in ("owner", "nobody"):
        world = a_world()
        await world.control.tenants.bootstrap(None)
        document = SignInDocument(login=login, password="wrong")
        paths.append(await lines_of(world.control.accounts.sign_in(document, ADDRESS)))

    assert paths[0] == paths[1]
