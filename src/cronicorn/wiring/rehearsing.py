"""A control plane that checks everything as for real, and of which nothing stays."""

from collections.abc import Callable

from cronicorn.adapters.vault.rehearsing_vault import RehearsingVault
from cronicorn.control.plane import ControlPlane
from cronicorn.domain.call import Call, Outcome
from cronicorn.domain.keychain.ports import Vault
from cronicorn.domain.ports import Clock, Cron, Dispatcher
from cronicorn.wiring.control_plane import control_plane
from cronicorn.wiring.execution_limits import tier_limits
from cronicorn.wiring.quota import Tokens
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.stores import Stores


class NoDispatcher(Dispatcher):
    """Calls nobody: what makes calls is not rehearsed."""

    async def dispatch(self, call: Call) -> Outcome:
        raise AssertionError("a rehearsal called somebody")


def rehearsals(
    settings: Settings, stores: Stores, tokens: Tokens, vault: Vault, *, clock: Clock, cron: Cron
) -> Callable[[], ControlPlane]:
    """Answers the control plane of an engine with these parts, made when it is asked for first."""
    made: list[ControlPlane] = []

    def plane() -> ControlPlane:
        there = stores.rehearsing()
        if not made:
            made.append(
                control_plane(
                    there, NoDispatcher(), tokens, RehearsingVault(vault), clock=clock, cron=cron,
                    limits=tier_limits(settings), kept=settings.retention, model_named=settings.ai_model is not None,
                )
            )  # fmt: skip
        return made[0]

    return plane
