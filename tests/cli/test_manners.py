"""What holds for every command: an example that it understands in its help, and JSON where it prints facts."""

import re
import shlex

import pytest
from typer.main import get_command

from cronicorn.cli.main import app
from tests.architecture.source import PACKAGE, modules_of

WITHOUT_JSON = {
    "up": "it works until it is stopped, and prints nothing",
    "api": "it works until it is stopped, and prints nothing",
    "scheduler": "it works until it is stopped, and prints nothing",
    "planner": "it works until it is stopped, and prints nothing",
    "demo": "a story for people",
    "mcp": "what it prints is the protocol's",
    "plan": "it prints JSON lines, always",
    "schema": "it prints JSON, always",
    "policy schema": "it prints JSON, always",
    "export": "it prints a file of YAML, which JSON Schema describes",
    "convert crontab": "it prints a file of YAML, which JSON Schema describes",
    "convert kubernetes": "it prints a file of YAML, which JSON Schema describes",
    "completion show": "it prints a program of the shell",
}
"""Commands that take no `--json`, and why."""

OTHERWISE = {"run list": "runs"}
"""Commands whose help shows them by their other name."""


def commands_in(command, *path):
    children = getattr(command, "commands", None)
    if children is None:
        return {" ".join(path): command}
    shown = {name: child for name, child in children.items() if not child.hidden}
    return {each: found for name, child in shown.items() for each, found in commands_in(child, *path, name).items()}


COMMANDS = commands_in(get_command(app))


def examples_of(command):
    """The examples in the help of *command*, each on one line."""
    told = " ".join((command.help or "").split())
    after = re.split(r"\bExamples?: ", told)[1:]
    return [example.strip() for each in after for example in each.split(" · ")]


def arguments_in(example, name):
    """What follows the name of a command in an example, without what only the shell understands; None if it is not."""
    _, named, after = f"{example} ".partition(f"cronicorn {OTHERWISE.get(name, name)} ")
    return shlex.split(re.split(r"[|<>)]", after)[0]) if named else None


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_examples_that_it_understands(name):
    command = COMMANDS[name]
    examples = examples_of(command)

    typed = [arguments_in(example, name) for example in examples]

    assert examples
    assert None not in typed
    for arguments in typed:
        command.make_context(f"cronicorn {name}", arguments)


def test_commands_that_print_facts_print_them_as_json_too():
    without = {name for name, each in COMMANDS.items() if not any("--json" in option.opts for option in each.params)}

    assert without == set(WITHOUT_JSON)


def test_json_is_printed_by_one_module_and_by_those_that_lay_it_out_otherwise():
    otherwise = {"run_lines": "a line each", "simulate": "a history, too long to be indented much"}

    printing = {each.path.stem for each in modules_of(PACKAGE / "cli") if "print(json.dumps" in each.text}

    assert printing == {"showing", *otherwise}
