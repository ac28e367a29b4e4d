"""`cronicorn migrate`: back for an older version, and forward again."""

import sqlite3

from cronicorn.adapters.sqlite.schema import REVISION
from tests.cli.command import cronicorn, environment


def test_a_file_goes_back_and_forward_again(tmp_path):
    path = tmp_path / "store.db"
    env = environment(DATABASE_URL=f"sqlite:{path}")
    nothing = cronicorn("migrate", env=env)
    cronicorn("tenant", "add", "shop", env=env)

    back, refused = cronicorn("migrate", "--to", "0009", env=env), cronicorn("tenant", "list", env=env)
    forward, shown = cronicorn("migrate", env=env), cronicorn("tenant", "list", env=env)
    unknown, in_memory = (
        cronicorn("migrate", "--to", "7", env=env),
        cronicorn("migrate", "--database", "memory:", env=env),
    )

    assert nothing.code == 4
    assert back.out.endswith("is at revision 0009.\n")
    assert refused.code == 5
    assert "older version" in refused.err
    assert forward.out.endswith(f"is at revision {REVISION}.\n")
    assert "shop" in shown.out
    assert (unknown.code, in_memory.code) == (2, 2)
    copies = {each.name for each in tmp_path.iterdir() if each.name.endswith(".backup")}
    assert copies == {f"store.db.{REVISION}.backup", "store.db.0009.backup"}
    connection = sqlite3.connect(tmp_path / f"store.db.{REVISION}.backup")
    assert ("shop",) in connection.execute("SELECT name FROM tenants").fetchall()
    connection.close()
