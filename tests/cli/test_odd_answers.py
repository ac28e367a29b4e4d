"""Whatever stands where a server should: commands say so in a sentence, and wait and take only so much."""

import asyncio
import json
from itertools import repeat

import httpx2
import pytest

from cronicorn.cli import answers, interface
from cronicorn.cli.interface import Interface
from cronicorn.domain.errors import InvalidInputError, UnavailableError
from tests.cli.command import cronicorn, environment
from tests.cli.odd_server import answer, odd_server

CHUNKED = b"HTTP/1.1 200 OK\r\nX-Request-Id: abc\r\nTransfer-Encoding: chunked\r\n\r\n"


async def asked(url, path="/jobs"):
    """What is answered to one question."""
    async with httpx2.AsyncClient(base_url=url, trust_env=False) as client:
        return await Interface(client, url, profile="odd").get(path)


@pytest.mark.parametrize(
    ("answered", "said"),
    [
        (answer("522 ", "<html>", asked=False), "answered 522, but not as Cronicorn does"),
        (answer("299 Odd", "{}", asked=False), "answered 299 Odd, but not as Cronicorn does"),
        (answer("200 OK", "<html>"), "answered 200 OK, but not as Cronicorn does"),
        (answer("200 OK", "[]"), "answered 200 OK, but not as Cronicorn does"),
        (answer("200 OK", "[" * 200_000), "answered 200 OK, but not as Cronicorn does"),
        (answer("200 OK", "junk", "Content-Encoding: gzip"), "can't be reached"),
        (answer("503 No", "[]"), "answered 503 No, but not as Cronicorn does"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"], "can't be reached"),
        ([b"SSH-2.0-OpenSSH\r\n"], "can't be reached"),
    ],
)
async def test_what_is_no_cronicorn_is_told_so(answered, said):
    async with odd_server(answered) as url:
        with pytest.raises(UnavailableError) as refused:
            await asked(url)

    assert f"{url} {said}" in str(refused.value)


@pytest.mark.parametrize("errors", ["null", "7", '["x", {"pointer": "/a"}]'])
async def test_a_refusal_with_odd_faults_is_one_all_the_same(errors):
    async with odd_server(answer("422 No", f'{{"detail": "It is bad.", "errors": {errors}}}')) as url:
        with pytest.raises(InvalidInputError, match="It is bad"):
            await asked(url)


async def test_a_field_that_a_server_leaves_out_is_told_of_with_the_server():
    async with odd_server(answer("200 OK", '{"jobs": [{"id": "1"}]}')) as url:
        found = await asked(url)

        with pytest.raises(UnavailableError, match="left 'name' out of its answer: is it a Cronicorn, of a version as"):
            assert found["jobs"][0]["name"] is None
    assert (found["jobs"][0].get("name"), json.dumps(found)) == (None, '{"jobs": [{"id": "1"}]}')


async def test_of_an_answer_that_never_ends_only_so_much_is_taken(monkeypatch):
    monkeypatch.setattr(answers, "BYTES_MAX", 1 << 20)

    async with odd_server(_endless()) as url:
        with pytest.raises(UnavailableError, match="answers more than 1 MiB"):
            await asked(url)


async def test_an_answer_that_only_drips_is_waited_for_so_long(monkeypatch):
    monkeypatch.setattr(interface, "WHOLE_ANSWER_S", 0.3)

    async with odd_server(_endless(b"["), pause_s=0.01) as url, asyncio.timeout(20):
        with pytest.raises(UnavailableError, match="did not answer in time"):
            await asked(url)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("doctor",), 1), (("export",), 7), (("diff", "-f", "-"), 7), (("top", "--once"), 7), (("tail",), 7),
        (("calendar",), 7), (("quota", "show"), 7),
    ],
)  # fmt: skip
async def test_commands_end_with_a_sentence_on_a_server_that_leaves_everything_out(command, code, tmp_path):
    ended = await _ended(command, answer("200 OK", '{"hello": 1}', "Date: yesterday"), tmp_path)

    assert (ended.code, "Traceback" in ended.err) == (code, False), ended.err
    assert "out of its answer" in ended.err + ended.out


async def test_a_doctor_tells_of_a_server_without_what_a_terminal_would_obey(tmp_path):
    hostile = answer("503 No", '{"detail": "away \\u001b[2J\\u009b2J\\nfor now"}', "Date: yesterday")

    ended = await _ended(("doctor",), hostile, tmp_path)

    assert ended.code == 1
    assert "away �[2J�2J\nfor now" in ended.out


def _endless(part=b"[" * 0x10000):
    return _Repeated(CHUNKED, f"{len(part):x}\r\n".encode() + part + b"\r\n")


class _Repeated:
    """A first part, and another one without end, for each who asks."""

    def __init__(self, first, part):
        self._first, self._part = first, part

    def __iter__(self):
        yield self._first
        yield from repeat(self._part)


async def _ended(command, answered, folder):
    async with odd_server(answered) as url:
        file = folder / "profiles.json"
        file.write_text(json.dumps({"used": "there", "profiles": {"there": {"url": url, "key": "a-key"}}}))
        file.chmod(0o600)
        env = environment(PROFILES_FILE=str(file))
        return await asyncio.to_thread(cronicorn, *command, stdin="jobs: []", env=env)
