"""Having descriptions compiled again, once there is a reason."""

import logging
from datetime import timedelta

from cronicorn.domain.compilation.ports import DraftMaker
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import ConflictError, QuotaExceededError, UnavailableError
from cronicorn.domain.permission import Operation, Permission
from cronicorn.domain.ports import Clock
from cronicorn.domain.principal import ActorKind, Principal
from cronicorn.scheduler.ai import AIFatalError, AITransientError
from cronicorn.scheduler.backoff import WAIT_MOST, Backoff, ModelPause

log = logging.getLogger(__name__)

ACTOR = "planner"


class Recompiler:
    """Asks *drafts*, if there is one, and waits longer after each failure with an endpoint."""

    def __init__(self, drafts: DraftMaker | None, clock: Clock, pause: ModelPause) -> None:
        self._drafts = drafts
        self._backoff = Backoff(clock)
        self._pause = pause

    def may(self, endpoint: JobEndpoint) -> bool:
        """Whether the description may be compiled now, if there is a reason."""
        able = self._drafts is not None and not self._pause.holds
        return able and endpoint.compiles_again and self._backoff.may(endpoint.id)

    async def consider(self, endpoint: JobEndpoint) -> None:
        """Have the description compiled again if there is a reason. What fails is tried again, later each time."""
        backoff = self._backoff
        if self._drafts is None or not self.may(endpoint):
            return
        facts = {"tenant": endpoint.tenant_id, "endpoint": endpoint.id, "why": "compile"}
        try:
            if not await _made(self._drafts, endpoint, facts):
                return
        except (AIFatalError, AITransientError) as error:
            self._pause.note(error, facts)
            backoff.failed(endpoint.id, error.retry_after if isinstance(error, AITransientError) else None)
        except (ConflictError, QuotaExceededError, UnavailableError) as error:
            log.warning("compile_postponed", extra={**facts, "reason": str(error)})
            backoff.failed(endpoint.id, _bounded_wait(error))
        except Exception:  # A bug met while compiling must not cost the analysis.
            log.exception("compile_crashed", extra=facts)
            backoff.failed(endpoint.id)
        else:
            backoff.worked(endpoint.id)


async def _made(drafts: DraftMaker, endpoint: JobEndpoint, facts: dict[str, str]) -> bool:
    """Make a draft, or tell of a reason for one; whether there was any."""
    principal = Principal(
        tenant_id=endpoint.tenant_id, actor=ACTOR, kind=ActorKind.MODEL, permissions=frozenset({Permission.JOBS_READ}),
        operation=Operation.DRAFT_MAKE,
    )  # fmt: skip
    reason = await drafts.consider(principal, endpoint.id)
    if reason is None:
        return False
    if reason.only_suggested:
        log.info("compile_suggested", extra={**facts, "reason": reason.value})
    else:
        await drafts.make(principal, endpoint.id, reason)
    return True


def _bounded_wait(error: Exception) -> timedelta | None:
    """How long the budget does not cover a compile, at most WAIT_MOST: somebody may raise the limit before."""
    wait = error.retry_after if isinstance(error, QuotaExceededError) else None
    return min(wait, WAIT_MOST) if wait is not None else None
