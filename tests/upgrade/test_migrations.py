"""Migrations only add, so that the version before goes on working on what they leave."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cronicorn.adapters.postgres.migration import MIGRATIONS as OF_POSTGRES
from cronicorn.adapters.sqlite.migration import MIGRATIONS as OF_SQLITE

TAKES_AWAY = {"alter_column", "drop_column", "drop_constraint", "drop_table", "rename_table", "create_check_constraint"}
_IN_SQL = re.compile(r"\bDROP (?:COLUMN|TABLE|CONSTRAINT)\b|\bRENAME\b|\bSET NOT NULL\b")
VERSIONS = sorted(path for folder in (OF_POSTGRES, OF_SQLITE) for path in (folder / "versions").glob("[0-9]*.py"))


def breaks(path: Path) -> list[str]:
    """What of the way forward an earlier version would stumble over."""
    return list(_found(ast.parse(path.read_text(encoding="utf-8"))))


def _found(tree: ast.Module) -> Iterator[str]:
    forward = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade")
    for node in ast.walk(forward):
        match node:
            case ast.Call(func=ast.Attribute(attr=attr)) if attr in TAKES_AWAY:
                yield f"{attr}: do it one version after the last that knows it"
            case ast.Call(func=ast.Attribute(attr="add_column"), args=[_, ast.Call(keywords=keywords)]):
                said = {each.arg: ast.unparse(each.value) for each in keywords}
                if said.get("nullable") == "False" and "server_default" not in said:
                    yield "add_column: an earlier version writes rows without it, so it needs a server_default"
            case ast.Constant(value=str(text)) if found := _IN_SQL.search(text):
                yield f"{found[0]}: do it one version after the last that knows it"
            case _:
                pass


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: f"{path.parents[2].name}-{path.stem}")
def test_a_migration_takes_nothing_from_the_version_before(path):
    assert breaks(path) == []


def test_what_takes_away_is_noticed(tmp_path):
    path = tmp_path / "0099_wrong.py"
    path.write_text(
        "def upgrade():\n"
        "    op.drop_column('runs', 'trace')\n"
        "    op.add_column('runs', sa.Column('who', sa.Text(), nullable=False), schema=SCHEMA)\n"
        "    op.add_column('runs', sa.Column('how', sa.Text(), nullable=False, server_default=''))\n"
        "    op.add_column('runs', sa.Column('why', sa.Text(), nullable=True))\n"
        "    op.execute('ALTER TABLE runs DROP COLUMN fence')\n"
    )

    assert [each.partition(":")[0] for each in breaks(path)] == ["drop_column", "add_column", "DROP COLUMN"]
