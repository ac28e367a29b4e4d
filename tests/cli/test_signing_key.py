"""`cronicorn signing-key` and `cronicorn master-key`."""

import json

import pytest

from cronicorn.adapters.vault.master_keys import master_keys
from tests.cli.command import cronicorn, environment


@pytest.fixture
def env(tmp_path):
    return environment(DATABASE_URL=f"sqlite:{tmp_path / 'store.db'}", API_KEY="a-key-for-tests-only")


def ended(env, *arguments):
    done = cronicorn(*arguments, env=env)
    assert done.code == 0, done.err
    return done


def test_a_key_is_shown_once_and_its_master_key_is_beside_the_store(env, tmp_path):
    created = ended(env, "signing-key", "create")
    shown = ended(env, "signing-key", "show")

    key = created.out.strip()
    assert key.startswith("whsec_")
    assert "shown only now" in created.err
    assert "master_key_made" in created.err
    assert str(tmp_path / "store.db.key") in created.err
    assert key[:12] in shown.out
    assert key not in shown.out
    assert (tmp_path / "store.db.key").stat().st_mode & 0o777 == 0o600


def test_rotating_tells_how_long_the_older_key_signs(env):
    ended(env, "tenant", "add", "acme")
    nothing = ended(env, "signing-key", "show")
    first = json.loads(ended(env, "signing-key", "create", "--json").out)
    second = json.loads(ended(env, "signing-key", "rotate", "--overlap", "90m", "--json").out)
    both = json.loads(ended(env, "signing-key", "show", "--json").out)
    ended(env, "signing-key", "end-overlap")
    one = json.loads(ended(env, "signing-key", "show", "--json").out)
    ended(env, "signing-key", "remove")

    assert "not signed" in nothing.out
    assert [key["prefix"] for key in both] == [second["prefix"], first["prefix"]]
    assert both[0]["until"] is None
    assert both[1]["until"] is not None
    assert [key["prefix"] for key in one] == [second["prefix"]]
    assert json.loads(ended(env, "signing-key", "show", "--json").out) == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("rotate",), 4, "create one"),
        (("rotate", "--overlap", "soon"), 2, "--overlap must be a duration"),
        (("remove",), 4, "create one"),
        (("create", "--tenant", "nobody"), 4, "tenant list"),
    ],
)
def test_what_can_not_be_done_is_told_in_a_sentence(env, arguments, code, said):
    ended(env, "tenant", "add", "acme")

    done = cronicorn("signing-key", *arguments, env=env)

    assert (done.code, said in done.err) == (code, True), done.err


def test_an_overlap_that_is_too_long_is_refused(env):
    ended(env, "signing-key", "create")

    done = cronicorn("signing-key", "rotate", "--overlap", "31d", env=env)

    assert done.code == 2
    assert "0 to 30 days" in done.err


def test_a_new_master_key_takes_over_without_a_word_of_the_old(env):
    old, new = (ended(env, "master-key", "new").out.strip() for _ in range(2))
    assert len(master_keys(f"{old} {new}")) == 2
    ended(env | {"CRONICORN_MASTER_KEY": old}, "signing-key", "create")

    lacking = cronicorn("signing-key", "rotate", env=env | {"CRONICORN_MASTER_KEY": new})
    both = env | {"CRONICORN_MASTER_KEY": f"{new},{old}"}
    first, second = ended(both, "master-key", "rewrap"), ended(both, "master-key", "rewrap")

    assert lacking.code == 0  # The new key is sealed by the new master key; the older stays with its own.
    assert first.out.startswith("1 ")
    assert second.out.startswith("0 ")
    assert ended(env | {"CRONICORN_MASTER_KEY": new}, "master-key", "rewrap").out.startswith("0 ")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("false", "ended with 1"),
        ("no-such-command-here", "No such file"),
        ("echo hunter22", "32 random bytes"),
        ("echo", "holds no key"),
    ],
)
def test_a_command_that_tells_no_master_key_is_told_of_and_nothing_it_printed(env, command, said):
    done = cronicorn("signing-key", "create", env=env | {"CRONICORN_MASTER_KEY_COMMAND": command})

    assert done.code == 7
    assert "CRONICORN_MASTER_KEY_COMMAND" in done.err
    assert said in done.err
    assert "hunter22" not in done.err
