"""A flash sale: a thousand jobs of one tenant want an analysis at once, in eight processes, within 200,000 tokens.

What each mode spends, and by how much it exceeds the limit beside what it promises. The calls of the model are stood in
for by waits of up to 10 ms: through a client of a model, eight processes on a small machine would measure that client.
"""

from collections.abc import Mapping
from typing import Any

from benchmarks.postgres import SERVER, new_database, postgres_server
from benchmarks.report import Report, Row
from cronicorn.domain.quota.decision import Mode
from tests.quota.sale import Sale, hold
from tests.quota.spender_process import BOUND, CALL_TOKENS, LIMIT, QUIET_CALLS

_MODES = (Mode.RESERVE, Mode.ADVISORY, Mode.SOFT)


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show."""
    sale = Sale(workers=2, jobs=20) if quick else Sale()
    with postgres_server() as server:
        rows = [_row(mode, hold(new_database(server, f"sale_{mode}"), mode, sale)) for mode in _MODES]
    about = (
        f"{sale.jobs} analyses of one tenant at once, at most {CALL_TOKENS} tokens each, {sale.workers} processes with "
        f"{sale.calls} calls at a time, limit {LIMIT}, {SERVER}"
    )
    Report(name="flash-sale", about=about, rows=rows).show(as_json=as_json)


def _row(mode: Mode, said: list[dict[str, Any]]) -> Row:
    spent = sum(each["spent"] for each in said)
    return {
        "mode": mode.value,
        "spent": spent,
        "over the limit": max(0, spent - LIMIT),
        "promised at most": BOUND.overrun_max if mode is Mode.SOFT else 0,
        "analyses": sum(each["made"] for each in said),
        "other tenants told otherwise than alone": sum(not _as_alone(each) for each in said),
    }


def _as_alone(said: Mapping[str, Any]) -> bool:
    """Whether the quiet tenant of a process was told what it would have been told without the sale."""
    return bool(said["quiet"] == [LIMIT - call for call in range(1, QUIET_CALLS + 1)])
