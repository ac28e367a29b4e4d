import re
import subprocess
import sys

import pytest
from typer.main import get_command

from cronicorn.cli.headings import HEADINGS, CommandsUnderHeadings
from cronicorn.cli.main import app
from tests.cli.command import cronicorn, environment

MODULES_OF_HELP_MAX = 230
"""So many are imported in a tenth of a second; time itself is nothing that a shared machine can be held to."""
COMMANDS = ["up", "demo", "apply", "explain", "runs", "plan", "next", "settings", "version", "tenant"]


def test_help_lists_every_command():
    out = cronicorn("--help").out

    assert [name for name in COMMANDS if not re.search(rf"^\W*{name}\s", out, re.MULTILINE)] == []


def test_help_lists_each_command_under_one_heading_with_its_whole_first_sentence():
    out = cronicorn("--help").out
    group = get_command(app)
    assert isinstance(group, CommandsUnderHeadings)
    visible = [name for name, command in group.commands.items() if not command.hidden]

    assert sorted(" ".join(HEADINGS.values()).split()) == sorted(visible)
    assert [heading for heading in HEADINGS if f"\n{heading}:\n" not in out] == []
    told = f"{out}{cronicorn('endpoint', '--help').out}".replace("[ARGS]...", "")
    assert "..." not in told


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name):
    ended = cronicorn(name, "-h")

    assert ended.code == 0
    assert "Usage" in ended.out


def test_help_imports_nothing_heavy():
    program = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "sys.argv = ['cronicorn', '--help']\n"
        "from cronicorn.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'alembic', 'asyncio', 'fastapi', 'httpx2', 'markdown_it', 'pycurl', 'pydantic', 'pydantic_ai',"
        " 'rich', 'sqlalchemy', 'uvicorn', 'yaml', 'cronicorn.domain', 'cronicorn.scheduler'}\n"
        "print(len(set(sys.modules) - before), *sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    number, *heavy = ended.stderr.split()
    assert "Usage: cronicorn" in ended.stdout
    assert heavy == []
    assert int(number) < MODULES_OF_HELP_MAX


def test_an_unknown_command_or_option_is_a_usage_error():
    assert cronicorn("dance").code == 2
    assert cronicorn("plan", "--fast").code == 2


@pytest.mark.parametrize("arguments", [["dance"], ["plan", "--fast"], ["next"], ["runs", "--limit", "0"]])
def test_a_usage_error_starts_as_every_error_does_and_names_the_help(arguments):
    ended = cronicorn(*arguments)

    first, second = ended.err.splitlines()
    assert (ended.code, ended.out) == (2, "")
    assert first.startswith("Error: ")
    assert second.endswith("--help` tells more.")


@pytest.mark.parametrize(
    ("sought", "told"),
    [
        ("ls", "`cronicorn endpoint list`"),
        ("trigger", "`cronicorn endpoint run`"),
        ("pause", "`cronicorn endpoint pause`"),
        ("incidents", "`cronicorn alert"),
        ("beat", "`cronicorn up`"),
        ("logs", "`cronicorn runs`"),
        ("delete", "`cronicorn endpoint delete`"),
        ("endpoint get", "`cronicorn endpoint show` does"),
        ("job rm", "`cronicorn job archive` does"),
        ("key delete", "`cronicorn key revoke` does"),
        ("alert create", "`cronicorn alert add` does"),
        ("endpoint logs", "`cronicorn runs`"),
    ],
)
def test_what_is_sought_in_vain_is_told_where_it_is(sought, told):
    assert told in cronicorn(*sought.split()).err.splitlines()[0]


def test_a_crontab_is_no_file_of_jobs_and_is_told_so(tmp_path):
    (tmp_path / "crontab").write_text("30 2 * * * curl -fsS https://shop.example/report", encoding="utf-8")

    ended = cronicorn("apply", "-f", str(tmp_path / "crontab"))

    assert ended.code == 2
    assert "it needs `jobs:`" in ended.err


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("alert add ops --channel fax --target x", "Error: Invalid value for '--channel': 'fax' is not one of"),
        ("secret set token abc123", "The text of a secret comes from stdin"),
    ],
)
def test_what_is_typed_wrongly_is_told_in_words_of_ours(typed, told):
    ended = cronicorn(*typed.split())

    assert told in ended.err.splitlines()[0]
    assert "abc123" not in ended.err  # It was to be a secret.


def test_endpoints_of_no_job_are_told_where_they_belong(tmp_path):
    (tmp_path / "part.yaml").write_text("endpoints:\n  - {name: stock, url: https://shop.example, dormant: true}\n")

    ended = cronicorn("apply", "-f", str(tmp_path / "part.yaml"), env=environment(DATABASE_URL="memory:"))

    assert ended.code == 2
    assert "put them under one, as in `jobs: [{name: shop, endpoints:" in ended.err


def test_without_a_command_the_help_is_shown():
    ended = cronicorn()

    assert ended.code == 2
    assert "Usage" in ended.out
    assert "Error" not in ended.err


def test_errors_go_to_stderr_as_a_sentence():
    ended = cronicorn("explain", "x", env=environment(DATABASE_URL="memory:"))

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Error: ")
    assert "Traceback" not in ended.err


def test_no_colour_where_there_is_no_terminal():
    assert "\x1b[" not in cronicorn("--help").out


def test_the_version_is_that_of_the_package():
    assert re.fullmatch(r"cronicorn \d+\.\d+\.\d+\n", cronicorn("version").out)
    assert cronicorn("--version") == cronicorn("version")


def test_a_demonstration_that_is_too_fast_says_that_the_quotient_counts():
    ended = cronicorn("demo", "--seconds", "12", "--speed", "2")

    assert ended.code == 2
    assert "from 12 to 3600 seconds; --seconds 12 / --speed 2 is 6, and that counts" in ended.err


def test_who_looks_for_a_list_of_endpoints_among_the_commands_is_told_where_it_is():
    ended = cronicorn("list")

    assert ended.code == 2
    assert "`cronicorn job list`" in ended.err
    assert "`cronicorn runs`" in ended.err


def test_a_command_that_acts_on_no_server_says_so():
    ended = cronicorn("verify", "--profile", "prod")

    assert ended.code == 2
    assert "This command does not act on a server." in ended.err


def test_a_limit_that_is_no_whole_number_is_refused_with_one_that_is():
    ended = cronicorn("tenant", "set", "default", "--limit", "100,000")
    beyond = cronicorn("tenant", "set", "default", "--limit", "-1")

    assert (ended.code, beyond.code) == (2, 2)
    assert "'100,000' is no number of tokens: write it without separators or unit, such as 100000." in ended.err
    assert "0 to 1000000000000" in beyond.err
