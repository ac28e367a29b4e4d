"""A file is copied before a migration changes it, whole, for its owner alone, and only where there is room."""

import shutil
import sqlite3
import stat
from types import SimpleNamespace

import pytest

from cronicorn.adapters.sqlite.connection import SqliteFile
from cronicorn.adapters.sqlite.migration import backup_of, migrate, revision_of
from cronicorn.adapters.sqlite.schema import REVISION
from cronicorn.domain.errors import UnavailableError
from tests.adapters.sqlite.revisions import made_at

OLD = "0007"


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "cronicorn.db"
    made_at(path, OLD)
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO tenants (id, name, created_us) VALUES ('t1', 'shop', 5)")
    connection.commit()
    connection.close()
    return path


def looked_at(path):
    connection = sqlite3.connect(path)
    found = revision_of(connection), connection.execute("SELECT id, name FROM tenants").fetchall()
    connection.close()
    return found


def test_a_migration_leaves_a_copy_of_what_was(old):
    migrate(SqliteFile(path=old))

    kept = backup_of(old, OLD)
    assert looked_at(kept) == (OLD, [("t1", "shop")])
    assert looked_at(old) == (REVISION, [("t1", "shop")])
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert sorted(each.name for each in old.parent.iterdir()) == ["cronicorn.db", "cronicorn.db.0007.backup"]


def test_what_is_new_or_up_to_date_is_not_copied(tmp_path):
    file = SqliteFile(path=tmp_path / "cronicorn.db")
    migrate(file)
    migrate(file)

    assert [each.name for each in tmp_path.iterdir()] == ["cronicorn.db"]


def test_without_room_for_a_copy_nothing_is_migrated(old, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 20))

    with pytest.raises(UnavailableError, match=r"needs \d+ MiB free .* CRONICORN_SQLITE_BACKUP=no"):
        migrate(SqliteFile(path=old))

    assert looked_at(old) == (OLD, [("t1", "shop")])
    assert not backup_of(old, OLD).exists()


def test_a_copy_that_can_not_be_written_keeps_the_file_as_it_is(old, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)

    with pytest.raises(UnavailableError, match="can't be backed up"):
        migrate(SqliteFile(path=old))

    assert looked_at(old) == (OLD, [("t1", "shop")])
    assert [each.name for each in old.parent.iterdir()] == ["cronicorn.db"]


def test_whoever_wants_no_copy_gets_none(old):
    migrate(SqliteFile(path=old, backed_up=False))

    assert looked_at(old) == (REVISION, [("t1", "shop")])
    assert not backup_of(old, OLD).exists()
