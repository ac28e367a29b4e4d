"""What commands say, and leave alone, where nobody has started Cronicorn yet, or another version of it."""

import json
import sqlite3
from contextlib import closing

import asyncpg
import pytest

from cronicorn.domain.installation import check_revision
from tests.cli.command import cronicorn, environment
from tests.servers.databases import ask, fresh_database

SENTENCE = "There is no Cronicorn installation in this database ("
ADVICE = "start `cronicorn up` or `cronicorn scheduler` once to make one."
READERS = {
    "runs": ["runs"],
    "runs --follow": ["runs", "--follow"],
    "explain": ["explain", "shop/stock"],
    "tenant list": ["tenant", "list"],
    "workers": ["workers"],
    "verify": ["verify"],
}
SHOP = "jobs: [{name: shop, endpoints: [{name: stock, url: 'https://shop.example', baselineCron: '0 3 * * *'}]}]\n"
_ALL = """
SELECT n.nspname, c.relname, c.relkind::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname NOT LIKE 'pg_%' AND n.nspname <> 'information_schema' UNION ALL
SELECT nspname, '', '' FROM pg_namespace ORDER BY 1, 2
"""


class Place:
    """A database, and all that is in it."""

    def __init__(self, url, path=None):
        self.url = url
        self.path = path

    def contents(self):
        if self.path is None:
            return ask(self._fetch(_ALL))
        return {file.name: file.read_bytes() for file in self.path.parent.iterdir()}

    def execute(self, statement):
        if self.path is None:
            ask(self._fetch(statement.replace("alembic_version", "cronicorn.alembic_version")))
            return
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(statement)

    def revision(self):
        statement = "SELECT version_num FROM alembic_version"
        if self.path is None:
            return ask(self._fetch(statement.replace("alembic_version", "cronicorn.alembic_version")))[0][0]
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(statement).fetchone()[0]

    async def _fetch(self, statement):
        connection = await asyncpg.connect(self.url)
        try:
            return [tuple(record) for record in await connection.fetch(statement)]
        finally:
            await connection.close()


@pytest.fixture
def folder(tmp_path):
    """Where nothing but the database is."""
    folder = tmp_path / "database"
    folder.mkdir()
    return folder


@pytest.fixture(params=["no file", "an empty file", "a server"])
def bare(request, folder):
    """A database without an installation."""
    if request.param == "a server":
        with fresh_database(migrated=False) as url:
            yield Place(url)
        return
    place = Place(f"sqlite:{folder / 'store.db'}", folder / "store.db")
    if request.param == "an empty file":
        place.path.touch()
    yield place


@pytest.fixture(params=["file", "server"])
def made(request, folder):
    """An installation with a tenant."""
    if request.param == "server":
        with fresh_database(migrated=False) as url:
            place = Place(url)
            assert cronicorn("tenant", "add", "acme", "--database", url).code == 0
            yield place
        return
    place = Place(f"sqlite:{folder / 'store.db'}", folder / "store.db")
    assert cronicorn("tenant", "add", "acme", "--database", place.url).code == 0
    yield place


def refused(command, place, code):
    ended = cronicorn(*READERS[command], "--database", place.url)
    assert (ended.code, ended.out) == (2 if command == "verify" else code, "")
    assert ended.err.startswith("Error: ")
    assert len(ended.err.splitlines()) == 1
    assert "ck_" not in ended.err
    return ended.err


@pytest.mark.parametrize("command", READERS)
def test_a_command_that_reads_says_that_there_is_no_installation_and_makes_none(command, bare):
    before = bare.contents()

    said = refused(command, bare, 4)

    assert SENTENCE in said
    assert ADVICE in said
    assert bare.contents() == before


def test_a_copy_of_nothing_says_so_and_touches_neither_side(bare, tmp_path):
    before, file = bare.contents(), tmp_path / "target.db"
    with fresh_database(migrated=False) as url:
        target = Place(url)
        empty = target.contents()
        copied = cronicorn("copy", "--from", bare.url, "--to", url)
        weighed = cronicorn("copy", "--from", bare.url, "--to", f"sqlite:{file}", "--dry-run")
        assert target.contents() == empty

    assert [(ended.code, ended.out) for ended in (copied, weighed)] == [(4, "")] * 2
    assert all(SENTENCE in ended.err and ADVICE in ended.err for ended in (copied, weighed))
    assert not file.exists()
    assert bare.contents() == before


def test_a_trial_of_a_file_imagines_an_installation_and_makes_none(bare):
    before = bare.contents()

    ended = cronicorn("apply", "-f", "-", "--dry-run", "--json", "--database", bare.url, stdin=SHOP)

    assert ended.code == 0, ended.err
    assert {each["deed"] for each in json.loads(ended.out)["differences"]} == {"created"}
    assert bare.contents() == before


def test_commands_that_write_make_the_installation(bare):
    added = cronicorn("tenant", "add", "acme", "--database", bare.url)

    assert added.code == 0, added.err
    assert cronicorn("tenant", "list", "--database", bare.url).out.count("tenant_") == 2


def test_a_copy_makes_its_target(made, tmp_path):
    with fresh_database(migrated=False) as server:
        target = f"sqlite:{tmp_path / 'target.db'}" if made.path is None else server
        copied = cronicorn("copy", "--from", made.url, "--to", target)
        verified = cronicorn("verify", "--stopped", "--database", target)

    assert (copied.code, verified.code) == (0, 0), copied.err + verified.out


@pytest.mark.parametrize(
    ("revision", "said", "advice"),
    [
        ("0000", "belongs to an older version of Cronicorn (its revision is 0000", "of this version on it once"),
        ("9999", "was written by a newer version of Cronicorn", "upgrade, or name another database"),
    ],
)
def test_an_installation_of_another_version_is_left_to_it(made, revision, said, advice):
    made.execute(f"UPDATE alembic_version SET version_num = '{revision}'")

    for command in ("runs", "workers", "verify"):  # They open the database in three ways.
        told = refused(command, made, 5)
        assert said in told
        assert advice in told
    assert made.revision() == revision


def test_the_database_is_named_so_that_a_mistyped_one_is_seen(folder, monkeypatch):
    monkeypatch.chdir(folder)
    of_file = cronicorn("workers", env=environment(DATABASE_URL="sqlite:stroe.db")).err
    with fresh_database(migrated=False) as url:
        of_server = cronicorn("workers", "--database", url).err

    assert f"({folder / 'stroe.db'}, which is not there)" in of_file
    assert f"({url.rpartition('/')[2]} on its PostgreSQL server)" in of_server


def test_the_present_revision_is_accepted():
    check_revision("0001", "0001", "here")
