"""The how-to of the first policy works as printed, but for the ports and the place of the database."""

import re
import signal
import socket
import subprocess
import urllib.request
from contextlib import contextmanager

from tests.docs.markdown import DOCS, blocks
from tests.docs.test_shell_examples import QUICKSTART, Session, shell_blocks, typed
from tests.waiting import eventually

PAGE = DOCS / "how-to" / "write-your-first-policy.md"
PRINTED_PORT = "8000"


def texts(language: str) -> list[str]:
    return [block.text for block in blocks(PAGE) if block.language == language]


def a_free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


@contextmanager
def served(terminal: Session, command: str, url: str):
    """The server of the page, started as *command* says."""
    script = re.sub(r"^(?=python3)", "exec ", command, flags=re.MULTILINE)
    server = subprocess.Popen(
        ["bash", "-ec", script], cwd=terminal.folder, env=terminal.environment, stderr=subprocess.DEVNULL
    )
    try:
        eventually(lambda: server.poll() is not None or _answers(url), within_s=15)
        yield
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=15)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_the_check_prints_what_the_page_shows(tmp_path):
    _, check, *_ = shell_blocks(PAGE)
    (tmp_path / "policy.yaml").write_text(texts("yaml")[0], encoding="utf-8")

    said = Session(tmp_path).type(typed(check))

    assert said == texts("text")[0]


def test_the_first_policy_tightens_and_lets_go_as_the_page_says(tmp_path):
    _, start, *_ = shell_blocks(QUICKSTART)
    server, _, apply, go_wrong, look, recover, patch = shell_blocks(PAGE)
    terminal, port = Session(tmp_path), a_free_port()
    file = texts("yaml")[1].replace(PRINTED_PORT, port).replace("baselineIntervalMs: 10000", "baselineIntervalMs: 5000")
    (tmp_path / "shop.yaml").write_text(file, encoding="utf-8")
    terminal.type(f"export API={terminal.url} KEY=let-me-in-for-a-minute")
    answer = f"http://127.0.0.1:{port}/health.json"

    with terminal.running(start), served(terminal, typed(server).replace(PRINTED_PORT, port), answer):
        terminal.type(typed(apply))
        terminal.type(typed(go_wrong))
        eventually(lambda: "active. What ends it does not hold" in terminal.type(typed(look)), within_s=30)
        explained = terminal.type("cronicorn explain watch/errors")
        terminal.type(typed(recover))
        eventually(lambda: "rule many-errors: idle" in terminal.type("cronicorn explain watch/errors"), within_s=30)
        patched = terminal.type(typed(patch))

    assert "rule many-errors: active. What ends it does not hold: it stays in force. Did: interval." in explained
    assert "err < 2: no, err is 8.5" in explained
    assert '"for":{"count":3}' in patched
