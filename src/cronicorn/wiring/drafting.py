"""Making drafts of policies with the language model that the settings name, if any."""

from collections.abc import Callable

from cronicorn.control.identity import random_id
from cronicorn.domain.compilation.ports import Backtester, DraftMaker
from cronicorn.domain.ports import Cron
from cronicorn.domain.quota.ports import Quota
from cronicorn.scheduler import AIClient
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.stores import Stores

MakeDrafts = Callable[[Backtester, Callable[[], None]], DraftMaker]
"""Makes what makes drafts, of what replays the record and what wakes the scheduler."""


def drafting(
    settings: Settings, stores: Stores, quota: Quota, client: AIClient | None, cron: Cron
) -> MakeDrafts | None:
    """How drafts are made with *client*, inside *quota*; None when there is no model."""
    if client is None or settings.ai_model is None:
        return None
    from cronicorn.scheduler.compiling import Compiler
    from cronicorn.scheduler.drafting import Drafting, Records

    compiler = Compiler(client, quota, settings.ai_model)

    def made(backtester: Backtester, wake: Callable[[], None]) -> DraftMaker:
        records = Records(endpoints=stores.endpoints, runs=stores.runs, drafts=stores.drafts, backtester=backtester)
        return Drafting(records, compiler, cron, random_id, wake)

    return made
