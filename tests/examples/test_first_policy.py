"""The how-to of the first policy works as printed, but for the ports and the place of the database."""

import socket

from tests.docs.journeys import types_every_command_of
from tests.docs.markdown import DOCS, blocks, shell_blocks
from tests.docs.terminal import Terminal
from tests.docs.test_shell_examples import QUICKSTART
from tests.waiting import eventually

PAGE = DOCS / "how-to" / "write-your-first-policy.md"
PRINTED_PORT = "8000"


def texts(language: str) -> list[str]:
    return [block.text for block in blocks(PAGE) if block.language == language]


def a_free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


@types_every_command_of("docs/how-to/write-your-first-policy.md")
def test_the_first_policy_is_checked_tightens_and_lets_go_as_the_page_says(tmp_path):
    _, start, *_ = shell_blocks(QUICKSTART)
    server, check, apply, go_wrong, look, recover, patch, propose = shell_blocks(PAGE)
    terminal, port = Terminal(tmp_path), a_free_port()
    terminal.places[PRINTED_PORT] = port
    file = texts("yaml")[1].replace(PRINTED_PORT, port).replace("baselineIntervalMs: 10000", "baselineIntervalMs: 5000")
    (tmp_path / "policy.yaml").write_text(texts("yaml")[0], encoding="utf-8")
    (tmp_path / "shop.yaml").write_text(file, encoding="utf-8")
    terminal.type(f"export API={terminal.url} KEY=let-me-in-for-a-minute")
    answer = f"http://127.0.0.1:{port}/health.json"

    assert terminal.type(check) == texts("text")[0]
    with terminal.running(start), terminal.running(server, log="server.log", until=answer):
        terminal.type(apply)
        terminal.type(go_wrong)
        eventually(lambda: "active. What ends it does not hold" in terminal.type(look), within_s=30)
        explained = terminal.type("cronicorn explain watch/errors")
        terminal.type(recover)
        eventually(lambda: "rule many-errors: idle" in terminal.type("cronicorn explain watch/errors"), within_s=30)
        patched = terminal.type(patch)
        proposed = terminal.type(propose)

    assert "rule many-errors: active. What ends it does not hold: it stays in force. Did: interval." in explained
    assert "err < 2: no, err is 8.5" in explained
    assert '"for":{"count":3}' in patched
    assert "(proposed), no model was asked" in proposed
    assert proposed.endswith("of watch/errors is active.\n")
