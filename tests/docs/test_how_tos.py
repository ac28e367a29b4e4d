"""How-tos about what is registered and who may do what work as printed, but for places of files.

`test_upkeep_pages.py` has the others.
"""

import json
import re

import httpx

from tests.docs.journeys import types_every_command_of
from tests.docs.markdown import DOCS, blocks, shell_blocks
from tests.docs.terminal import Terminal


def page(name: str):
    return DOCS / "how-to" / f"{name}.md"


def yaml_of(name: str) -> str:
    """The one file of a page; endpoints that stand alone get a job and a schedule."""
    [text] = [block.text for block in blocks(page(name)) if block.language == "yaml"]
    if text.startswith("jobs:"):
        return text
    inner = "".join(f"    {line}\n" for line in text.splitlines())
    return f"jobs:\n  - name: shop\n{inner}        baselineIntervalMs: 60000\n"


def exported(terminal: Terminal) -> str:
    return terminal.type("cronicorn export")


@types_every_command_of("docs/how-to/apply-a-file.md")
def test_a_file_and_a_folder_of_files_are_compared_and_applied_once_as_printed(tmp_path):
    file, alerts = [block.text for block in blocks(page("apply-a-file")) if block.language == "yaml"]
    one, folder = shell_blocks(page("apply-a-file"))
    (tmp_path / "shop.yaml").write_text(file, encoding="utf-8")
    (tmp_path / "schedules" / "team").mkdir(parents=True)
    (tmp_path / "schedules" / "team" / "shop.yaml").write_text(file, encoding="utf-8")
    (tmp_path / "schedules" / "alerts.yaml").write_text(re.sub("(?m)^    - name: chat\\n(?:      .*\\n)+", "", alerts))

    terminal, alone = Terminal(tmp_path), Terminal(tmp_path / "alone")
    (tmp_path / "alone" / "shop.yaml").write_text(file, encoding="utf-8")
    applied, again = alone.type(one), alone.type(one)
    first, second = (terminal.type(folder) for _ in range(2))

    assert "nightly report" in applied
    assert "nightly report" not in again
    assert "+ alert route on-call" in first
    assert first.count("+ shop/nightly report") == 2
    assert second.count("Nothing to do") == 2


@types_every_command_of("docs/how-to/come-from-another-scheduler.md")
def test_crontabs_and_cron_jobs_are_converted_as_printed(tmp_path):
    [crontab] = [block.text for block in blocks(page("come-from-another-scheduler")) if block.language == "text"]
    file, *_ = [block.text for block in blocks(page("come-from-another-scheduler")) if block.language == "yaml"]
    apply, convert = shell_blocks(page("come-from-another-scheduler"))
    (tmp_path / "crontab").write_text(re.sub("(?m)( curl| flock)(.*)$", r" root\1\2", crontab, count=2))
    pod = {"containers": [{"name": "call", "command": ["curl", "-f", "https://shop.example.com/stock"]}]}
    spec = {"schedule": "0 * * * *", "jobTemplate": {"spec": {"template": {"spec": pod}}}}
    job = {"kind": "CronJob", "metadata": {"name": "stock", "namespace": "shop"}, "spec": spec}
    terminal = Terminal(tmp_path)
    terminal.places["/etc/crontab"] = "crontab"
    terminal.stand_in("crontab", says=crontab)
    terminal.stand_in("kubectl", says=json.dumps(job))

    (tmp_path / "shop.yaml").write_text(file, encoding="utf-8")
    applied, again = terminal.type(apply), terminal.type(apply)
    terminal.type(convert)

    assert "nightly report" in applied
    assert "nightly report" not in again
    assert terminal.asked_of("crontab") == [["-l"]]
    assert terminal.asked_of("kubectl") == [["get", "cronjobs", "-A", "-o", "yaml"]]
    for name in ("crontab", "system", "cluster"):
        assert "Would be: " in terminal.type(f"cronicorn diff -f {name}.yaml || test $? -eq 1")
    assert (tmp_path / "crontab.yaml").read_text().count("timezone: Europe/Berlin") == 2


@types_every_command_of("docs/how-to/limit-flow.md")
def test_flows_are_registered_and_hosts_protected_as_printed(tmp_path):
    terminal = Terminal(tmp_path)
    [start] = shell_blocks(page("limit-flow"))
    (tmp_path / "flow.yaml").write_text(yaml_of("limit-flow"), encoding="utf-8")

    terminal.type("cronicorn apply -f flow.yaml")
    with terminal.running(start):
        found = terminal.settings_of(start)

    assert exported(terminal).count("billing-api") == 2
    assert "CRONICORN_HOST_FLOW=api.example.com=10/1sx4,db.internal=x2,*=100/1s\n" in found


def test_criteria_are_registered_as_printed_and_what_is_wrong_in_them_is_told(tmp_path):
    terminal, printed = Terminal(tmp_path), yaml_of("judge-answers")
    (tmp_path / "judged.yaml").write_text(printed, encoding="utf-8")
    (tmp_path / "wrong.yaml").write_text(printed.replace('state == "down"', "state == 5"), encoding="utf-8")

    terminal.type("cronicorn apply -f judged.yaml")
    told = terminal.type("cronicorn apply -f wrong.yaml 2>&1 || true")

    assert 'state == "down"' in exported(terminal)
    assert "criteria/failure" in told


@types_every_command_of("docs/how-to/redact-answers.md")
def test_answers_are_redacted_as_printed(tmp_path):
    terminal = Terminal(tmp_path)
    [start] = shell_blocks(page("redact-answers"))
    (tmp_path / "redacted.yaml").write_text(yaml_of("redact-answers"), encoding="utf-8")
    key = tmp_path / "redaction"
    key.write_text("a-key-of-some-length-to-redact-with", encoding="utf-8")
    terminal.places["/run/secrets/redaction"] = str(key)

    terminal.type("cronicorn apply -f redacted.yaml")
    with terminal.running(start):
        found = terminal.settings_of(start)

    assert "/sessions/*/token" in exported(terminal)
    assert "CRONICORN_REDACTION_KEY=***\n" in found


@types_every_command_of("docs/how-to/members-and-keys.md")
def test_people_and_programs_come_in_as_printed(tmp_path):
    terminal = Terminal(tmp_path)
    reset, link, members, keys, revoke, audit, tenants = shell_blocks(page("members-and-keys"))

    terminal.type(reset)
    url = terminal.type(link)
    told = terminal.type(members)
    listed = terminal.type(keys)
    made = {each["name"]: each["id"] for each in json.loads(terminal.type("cronicorn key list --json"))}
    terminal.places["KEY_ID"] = made["night-shift"]
    terminal.type(revoke)
    entries = terminal.type(audit)
    terminal.type(tenants)

    assert "/sign-in?token=cl_" in url
    assert "ann@example.org is no member any more." in told
    assert {"deploy", "dashboard", "night-shift"} <= set(listed.split())
    assert f'"object_id": "{made["night-shift"]}"' in entries
    assert "acme" in terminal.type("cronicorn tenant list")


def tools_offered(terminal: Terminal, key: str):
    """What an agent with *key* is offered over HTTP."""
    headers = {"authorization": f"Bearer {key}", "accept": "application/json, text/event-stream"}
    listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    answer = httpx.post(f"{terminal.url}/mcp", json=listing, headers=headers, timeout=30, trust_env=False)
    return answer.json()["result"]["tools"]


@types_every_command_of("docs/how-to/let-agents-in.md")
def test_agents_are_let_in_as_printed(tmp_path):
    terminal = Terminal(tmp_path)
    switch, key, write = shell_blocks(page("let-agents-in"))
    [configured] = [json.loads(block.text) for block in blocks(page("let-agents-in")) if block.language == "json"]
    started = configured["mcpServers"]["cronicorn"]
    client = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    hello = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client})

    on, allowed = terminal.settings_of(switch), terminal.settings_of(write)
    with terminal.running(switch):
        answer = terminal.type(f"echo '{hello}' | {started['command']} {' '.join(started['args'])}")
        made = terminal.type(key)
        [given] = [word for word in made.split() if word.startswith("ck_")]
        looking = tools_offered(terminal, given)
        terminal.type("export CRONICORN_MCP=yes")
    with terminal.running(write):
        offered = tools_offered(terminal, given)

    assert json.loads(answer)["result"]["serverInfo"]["name"] == "cronicorn"
    may_look, may_write = ({tool["name"]: tool["annotations"] for tool in each} for each in (looking, offered))
    assert [name for name, tool in may_look.items() if not tool["readOnlyHint"]] == []
    assert not all(tool["readOnlyHint"] for tool in may_write.values())
    assert "hint_clear" not in may_write
    assert "CRONICORN_MCP=yes\n" in on
    assert "CRONICORN_MCP_WRITE=no (default)\n" in on
    assert "CRONICORN_MCP_WRITE=yes\n" in allowed
    assert "CRONICORN_MCP_EXCLUDE=hint_clear\n" in allowed
