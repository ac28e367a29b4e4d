"""How many runs jobs and endpoints had in each hour, and when analyses were made and of how many tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SCHEMA = "cronicorn"
_ROOM = {"fillfactor": 50, "autovacuum_vacuum_scale_factor": 0.02, "autovacuum_vacuum_cost_delay": 0}
_COUNT_OF_ENDPOINTS = """
INSERT INTO cronicorn.endpoint_hours (job_number, hour_us, endpoint_number, source, status, runs, duration_us)
SELECT e.job_number, r.started_us - mod(r.started_us, 3600000000), r.endpoint_number, r.source, r.status, count(*),
       sum(r.duration_us)
  FROM cronicorn.runs AS r JOIN cronicorn.endpoints AS e ON e.number = r.endpoint_number
 GROUP BY 1, 2, 3, 4, 5
"""
_COUNT_OF_JOBS = """
INSERT INTO cronicorn.job_hours (job_number, hour_us, source, status, runs, duration_us)
SELECT job_number, hour_us, source, status, sum(runs), sum(duration_us)
  FROM cronicorn.endpoint_hours GROUP BY 1, 2, 3, 4
"""
# What texts in a document hold can't be taken for it: their quotes are escaped.
_TELL = r"""
UPDATE cronicorn.analyses AS a
   SET at_us = coalesce(substring(document from '"at_us":(-?[0-9]{1,18})')::bigint, 0),
       tokens = coalesce(t.n[1]::bigint + t.n[2]::bigint + t.n[4]::bigint, 0)
  FROM (SELECT number, string_to_array(substring(document from '"tokens":\[([0-9, ]+)\]'), ',') AS n
          FROM cronicorn.analyses) AS t
 WHERE t.number = a.number
"""


def upgrade() -> None:
    """Add the counts, of the runs that are still kept."""
    part = sa.Column("part", sa.SmallInteger(), nullable=False, server_default="0", autoincrement=False)
    op.create_table("job_hours", *_columns("job_number", "hour_us", part=part), schema=SCHEMA, postgresql_with=_ROOM)
    keys = ("job_number", "hour_us", "endpoint_number")
    op.create_table("endpoint_hours", *_columns(*keys), schema=SCHEMA, postgresql_with=_ROOM)
    op.execute(_COUNT_OF_ENDPOINTS)
    op.execute(_COUNT_OF_JOBS)
    for name in ("at_us", "tokens"):
        op.add_column("analyses", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"), schema=SCHEMA)
    op.execute(_TELL)
    op.create_index("analyses_by_time", "analyses", ["tenant_id", "at_us"], schema=SCHEMA)


def downgrade() -> None:
    """Forget the tallies; the runs that they count stay."""
    op.drop_index("analyses_by_time", table_name="analyses", schema=SCHEMA)
    op.drop_column("analyses", "tokens", schema=SCHEMA)
    op.drop_column("analyses", "at_us", schema=SCHEMA)
    op.drop_table("endpoint_hours", schema=SCHEMA)
    op.drop_table("job_hours", schema=SCHEMA)


def _columns(*numbers: str, part: sa.Column[int] | None = None) -> list[sa.schema.SchemaItem]:
    texts = ("source", "status")
    parts = [part] if part is not None else []
    return [
        *(sa.Column(name, sa.BigInteger(), nullable=False, autoincrement=False) for name in numbers),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        *parts,
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("runs", "duration_us")),
        sa.PrimaryKeyConstraint(*numbers, *texts, *(each.name for each in parts)),
    ]
