"""A file as an older version left it."""

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from cronicorn.adapters.sqlite.migration import MIGRATIONS


def made_at(path, revision):
    """Make the file at *path* with the tables of *revision*."""
    script = ScriptDirectory(str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{path}")
    with (
        engine.begin() as connection,
        EnvironmentContext(
            Config(), script, fn=lambda before, _: script._upgrade_revs(revision, before)
        ) as environment,
    ):
        environment.configure(connection=connection)
        environment.run_migrations()
    engine.dispose()
