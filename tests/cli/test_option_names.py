"""What is wrong with an option is told of the option, and of the variable where that was used."""

import pytest

from cronicorn.wiring.setting import as_given
from tests.cli.command import cronicorn, environment

WRONG = "mysql://me:secret@localhost/x"
FILE = "sqlite:missing.db"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("workers", "--database", WRONG), "--database is 'mysql://me:***@localhost/x', but must be "),
        (("copy", "--from", WRONG, "--to", FILE), "--from is "),
        (("copy", "--from", FILE, "--to", WRONG), "--to is "),
        (("copy", "--from", FILE, "--to", "memory:"), "--to is memory:, "),
        (("runs", "--database", "memory:"), "--database is memory:, "),
        (("scheduler", "--database", "memory:"), "set --database to postgresql://"),
        (("tenant", "add", "acme", "--database", "sqlite:nowhere/store.db"), "or set --database to another place"),
        (("up", "--port", "99999"), "--port is '99999', but must be "),
        (("scheduler", "--metrics-port", "99999"), "--metrics-port is '99999', but must be "),
        (("workers", "--database", " "), "--database is empty: "),
    ],
)
def test_an_option_is_called_by_its_name(arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = cronicorn(*arguments)

    assert ended.code in {2, 7}
    assert said in ended.err
    assert "CRONICORN_DATABASE_URL" not in ended.err
    assert "secret" not in ended.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "said"), [(WRONG, "CRONICORN_DATABASE_URL is "), ("memory:", "CRONICORN_DATABASE_URL is memory:, ")]
)
def test_a_variable_is_called_by_its_name(url, said):
    ended = cronicorn("workers", env=environment(DATABASE_URL=url))

    assert said in ended.err
    assert "--database" not in ended.err


def test_only_whole_names_are_replaced_and_examples_are_spelled_as_options():
    given_as = {"CRONICORN_HOST": "--host"}

    message = as_given("CRONICORN_HOST is odd, like CRONICORN_HOST_CALLS_MAX; CRONICORN_HOST=::1.", given_as)

    assert message == "--host is odd, like CRONICORN_HOST_CALLS_MAX; --host ::1."
