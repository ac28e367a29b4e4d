"""The way to PostgreSQL and back works as printed, but for the place of the file and of the server."""

import json
import shlex

import asyncpg

from tests.docs.journeys import types_every_command_of
from tests.docs.markdown import DOCS, shell_blocks
from tests.docs.terminal import Terminal
from tests.servers.databases import ask

PAGE = DOCS / "how-to" / "move-to-postgresql.md"
SHOP = "jobs: [{name: shop, endpoints: [{name: stock, url: 'https://shop.example', baselineCron: '0 3 * * *'}]}]\n"


async def _drop_schema(url):
    connection = await asyncpg.connect(url)
    await connection.execute("DROP SCHEMA cronicorn CASCADE")
    await connection.close()


@types_every_command_of("docs/how-to/move-to-postgresql.md")
def test_a_store_goes_to_the_server_and_back_as_printed(tmp_path, fresh_postgres_url):
    ask(_drop_schema(fresh_postgres_url))
    terminal = Terminal(tmp_path)
    terminal.places = {
        "sqlite:////var/lib/cronicorn/cronicorn.db": f"sqlite:{tmp_path}/store.db",
        "postgresql://cronicorn:a-long-random-secret@db.internal:5432/cronicorn": shlex.quote(fresh_postgres_url),
    }
    (tmp_path / "shop.yaml").write_text(SHOP, encoding="utf-8")
    terminal.type("cronicorn apply -f shop.yaml")
    names, trial, look, move, begin, back = shell_blocks(PAGE)

    terminal.type(names)
    tried = terminal.type(trial)
    assert terminal.type(look) == ""
    moved = terminal.type(move)
    begun = terminal.type(begin)
    returned = terminal.type(back)

    tables = [line for line in tried.splitlines() if line.startswith(("jobs ", "schedule ", "runs "))]
    assert len(tables) == 3
    assert all(line in moved and line in returned for line in tables)
    assert "BROKEN" not in tried + moved + begun + returned
    rows = json.loads(terminal.type("cronicorn copy --from sqlite:back.db --to sqlite:none.db --dry-run --json"))
    assert {table["table"]: table["rows"] for table in rows["tables"]}["endpoints"] == 1
