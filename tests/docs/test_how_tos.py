"""How-tos about what is registered and who may do what work as printed, but for places of files.

What runs until it is stopped is shown to be understood by `cronicorn settings`. `test_upkeep_pages.py` has the others.
"""

import json
import re

import pytest

from tests.docs.markdown import DOCS, blocks, pages
from tests.docs.test_shell_examples import Session, shell_blocks, typed

ONLY_UP = re.compile(r"cronicorn up$", re.MULTILINE)


TYPED_BY_DEVELOPERS = {"CONTRIBUTING.md"}
"""What it tells to type is what runs these tests; `test_mentions.py` has its targets."""


def page(name: str):
    return DOCS / "how-to" / f"{name}.md"


def yaml_of(name: str) -> str:
    """The one file of a page; endpoints that stand alone get a job and a schedule."""
    [text] = [block.text for block in blocks(page(name)) if block.language == "yaml"]
    if text.startswith("jobs:"):
        return text
    inner = "".join(f"    {line}\n" for line in text.splitlines())
    return f"jobs:\n  - name: shop\n{inner}        baselineIntervalMs: 60000\n"


def understood(terminal: Session, name: str, printed: str = "", actual: str = "") -> str:
    """What settings the first command of a page means that starts Cronicorn, with another file than is *printed*."""
    command = next(typed(block) for block in shell_blocks(page(name)) if ONLY_UP.search(block.text))
    command = command.replace(printed, actual) if printed else command
    return terminal.type(ONLY_UP.sub("cronicorn settings", command))


def exported(terminal: Session) -> str:
    return terminal.type("cronicorn export")


def test_a_folder_of_files_is_compared_and_applied_as_printed(tmp_path):
    file, alerts = [block.text for block in blocks(page("apply-a-file")) if block.language == "yaml"]
    _, folder = shell_blocks(page("apply-a-file"))
    (tmp_path / "schedules" / "team").mkdir(parents=True)
    (tmp_path / "schedules" / "team" / "shop.yaml").write_text(file, encoding="utf-8")
    (tmp_path / "schedules" / "alerts.yaml").write_text(re.sub("(?m)^    - name: chat\\n(?:      .*\\n)+", "", alerts))

    terminal = Session(tmp_path)
    first, second = (terminal.type(typed(folder)) for _ in range(2))

    assert "+ alert route on-call" in first
    assert first.count("+ shop/nightly report") == 2
    assert second.count("Nothing to do") == 2


def test_crontabs_and_cron_jobs_are_converted_as_printed(tmp_path):
    [crontab] = [block.text for block in blocks(page("come-from-another-scheduler")) if block.language == "text"]
    _, convert = shell_blocks(page("come-from-another-scheduler"))
    (tmp_path / "crontab").write_text(re.sub("(?m)( curl| flock)(.*)$", r" root\1\2", crontab, count=2))
    pod = {"containers": [{"name": "call", "command": ["curl", "-f", "https://shop.example.com/stock"]}]}
    spec = {"schedule": "0 * * * *", "jobTemplate": {"spec": {"template": {"spec": pod}}}}
    (tmp_path / "jobs.json").write_text(
        json.dumps({"kind": "CronJob", "metadata": {"name": "stock", "namespace": "shop"}, "spec": spec})
    )
    (tmp_path / "typed").write_text(crontab)
    terminal = Session(tmp_path)
    here = "crontab() { cat typed; }; kubectl() { cat jobs.json; }\n"

    terminal.type(here + typed(convert).replace("/etc/crontab", "crontab"))

    for name in ("shop", "system", "cluster"):
        assert "Would be: " in terminal.type(f"cronicorn diff -f {name}.yaml || test $? -eq 1")
    assert (tmp_path / "shop.yaml").read_text().count("timezone: Europe/Berlin") == 2


def test_flows_are_registered_and_hosts_protected_as_printed(tmp_path):
    terminal = Session(tmp_path)
    (tmp_path / "flow.yaml").write_text(yaml_of("limit-flow"), encoding="utf-8")

    terminal.type("cronicorn apply -f flow.yaml")
    found = understood(terminal, "limit-flow")

    assert exported(terminal).count("billing-api") == 2
    assert "CRONICORN_HOST_FLOW=api.example.com=10/1sx4,db.internal=x2,*=100/1s\n" in found


def test_criteria_are_registered_as_printed_and_what_is_wrong_in_them_is_told(tmp_path):
    terminal, printed = Session(tmp_path), yaml_of("judge-answers")
    (tmp_path / "judged.yaml").write_text(printed, encoding="utf-8")
    (tmp_path / "wrong.yaml").write_text(printed.replace('state == "down"', "state == 5"), encoding="utf-8")

    terminal.type("cronicorn apply -f judged.yaml")
    told = terminal.type("cronicorn apply -f wrong.yaml 2>&1 || true")

    assert 'state == "down"' in exported(terminal)
    assert "criteria/failure" in told


def test_answers_are_redacted_as_printed(tmp_path):
    terminal = Session(tmp_path)
    (tmp_path / "redacted.yaml").write_text(yaml_of("redact-answers"), encoding="utf-8")

    terminal.type("cronicorn apply -f redacted.yaml")
    key = tmp_path / "redaction"
    key.write_text("a-key-of-some-length-to-redact-with", encoding="utf-8")
    found = understood(terminal, "redact-answers", "/run/secrets/redaction", str(key))

    assert "/sessions/*/token" in exported(terminal)
    assert "CRONICORN_REDACTION_KEY=***\n" in found


def test_people_and_programs_come_in_as_printed(tmp_path):
    terminal = Session(tmp_path)
    reset, link, members, keys, revoke, audit, tenants = [
        typed(block) for block in shell_blocks(page("members-and-keys"))
    ]

    terminal.type(reset)
    url = terminal.type(link)
    told = terminal.type(members)
    listed = terminal.type(keys)
    made = {each["name"]: each["id"] for each in json.loads(terminal.type("cronicorn key list --json"))}
    terminal.type(revoke.replace("KEY_ID", made["night-shift"]))
    entries = terminal.type(audit)
    terminal.type(tenants)

    assert "/sign-in?token=cl_" in url
    assert "ann@example.org is no member any more." in told
    assert {"deploy", "dashboard", "night-shift"} <= set(listed.split())
    assert f'"object_id": "{made["night-shift"]}"' in entries
    assert "acme" in terminal.type("cronicorn tenant list")


def test_agents_are_let_in_as_printed(tmp_path):
    terminal = Session(tmp_path)
    switch, key, write = [typed(block) for block in shell_blocks(page("let-agents-in"))]
    [configured] = [json.loads(block.text) for block in blocks(page("let-agents-in")) if block.language == "json"]
    started = configured["mcpServers"]["cronicorn"]

    on = understood(terminal, "let-agents-in")
    allowed = terminal.type(ONLY_UP.sub("cronicorn settings", write))
    made = terminal.type(key)
    client = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client}
    answer = terminal.type(f"echo '{json.dumps(hello)}' | {started['command']} {' '.join(started['args'])}")

    assert switch.startswith("export CRONICORN_MCP=yes")
    assert "CRONICORN_MCP=yes\n" in on
    assert "CRONICORN_MCP_WRITE=no (default)\n" in on
    assert "CRONICORN_MCP_WRITE=yes\n" in allowed
    assert "CRONICORN_MCP_EXCLUDE=hint_clear\n" in allowed
    assert "ck_" in made
    assert json.loads(answer)["result"]["serverInfo"]["name"] == "cronicorn"


@pytest.mark.parametrize("page", [each for each in pages() if shell_blocks(each)], ids=lambda page: page.stem)
def test_every_page_with_commands_is_run_by_a_test(page):
    folder = DOCS.parent / "tests"
    tests = [
        file.read_text(encoding="utf-8") for part in ("docs", "examples") for file in (folder / part).glob("test_*.py")
    ]

    assert page.name in TYPED_BY_DEVELOPERS or any(f'"{page.stem}"' in text or page.name in text for text in tests)
