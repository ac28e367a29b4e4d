"""How many runs jobs and endpoints had in each hour, and when analyses were made and of how many tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_COUNT_OF_ENDPOINTS = """
INSERT INTO endpoint_hours (job_number, hour_us, endpoint_number, source, status, runs, duration_us)
SELECT e.job_number, r.started_us - r.started_us % 3600000000, r.endpoint_number, r.source, r.status, count(*),
       sum(r.duration_us)
  FROM runs AS r JOIN endpoints AS e ON e.number = r.endpoint_number
 GROUP BY 1, 2, 3, 4, 5
"""
_COUNT_OF_JOBS = """
INSERT INTO job_hours (job_number, hour_us, source, status, runs, duration_us)
SELECT job_number, hour_us, source, status, sum(runs), sum(duration_us) FROM endpoint_hours GROUP BY 1, 2, 3, 4
"""
_TELL = """
UPDATE analyses
   SET at_us = coalesce(json_extract(document, '$.at_us'), 0),
       tokens = coalesce(json_extract(document, '$.tokens[0]') + json_extract(document, '$.tokens[1]')
                         + json_extract(document, '$.tokens[3]'), 0)
 WHERE json_valid(document)
"""


def upgrade() -> None:
    """Add the counts, of the runs that are still kept."""
    op.create_table("job_hours", *_columns("job_number", "hour_us"), sqlite_strict=True, sqlite_with_rowid=False)
    keys = ("job_number", "hour_us", "endpoint_number")
    op.create_table("endpoint_hours", *_columns(*keys), sqlite_strict=True, sqlite_with_rowid=False)
    op.execute(_COUNT_OF_ENDPOINTS)
    op.execute(_COUNT_OF_JOBS)
    for name in ("at_us", "tokens"):
        op.add_column("analyses", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.execute(_TELL)
    op.create_index("analyses_by_time", "analyses", ["tenant_id", "at_us"])


def downgrade() -> None:
    """Forget the tallies; the runs that they count stay."""
    op.drop_index("analyses_by_time", table_name="analyses")
    op.drop_column("analyses", "tokens")
    op.drop_column("analyses", "at_us")
    op.drop_table("endpoint_hours")
    op.drop_table("job_hours")


def _columns(*numbers: str) -> list[sa.schema.SchemaItem]:
    texts = ("source", "status")
    return [
        *(sa.Column(name, sa.Integer(), nullable=False) for name in numbers),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("runs", "duration_us")),
        sa.PrimaryKeyConstraint(*numbers, *texts),
    ]
