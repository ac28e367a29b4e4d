"""The tools there are, and which of them a server offers."""

from dataclasses import dataclass
from enum import StrEnum

from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.nearest import meant_or
from cronicorn.domain.permission import NEEDED, Operation


class Toolset(StrEnum):
    """What a group of tools is for."""

    OBSERVE = "observe"
    """See what is there, what happened, and why."""
    STEER = "steer"
    """Change for a while when endpoints run."""
    POLICY = "policy"
    """Try rules on the record, propose them, and put them in force."""
    ADMIN = "admin"
    """Make, change and delete endpoints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRow:
    """One tool. What it says of itself is a hint for clients: what it may do is checked by the control plane."""

    name: str
    title: str
    toolset: Toolset
    needs: Operation
    """The operation whose permission its caller must have to see it. Each call checks all that it does."""
    writes: bool = False
    destructive: bool = False
    """Whether it may take something away for good."""
    idempotent: bool = True
    """Whether asking twice comes to the same as asking once."""


TOOLS: tuple[ToolRow, ...] = (
    ToolRow(
        name="health_summary", title="What is wrong", toolset=Toolset.OBSERVE, needs=Operation.OVERVIEW_SHOW,
    ),
    ToolRow(
        name="endpoint_search", title="Find endpoints", toolset=Toolset.OBSERVE, needs=Operation.OVERVIEW_SHOW,
    ),
    ToolRow(name="endpoint_get", title="An endpoint", toolset=Toolset.OBSERVE, needs=Operation.ENDPOINT_GET),
    ToolRow(
        name="endpoint_explain", title="Why it runs when it does", toolset=Toolset.OBSERVE,
        needs=Operation.SCHEDULE_EXPLAIN,
    ),
    ToolRow(name="run_query", title="Past runs", toolset=Toolset.OBSERVE, needs=Operation.RUN_LIST),
    ToolRow(
        name="hint_set_interval", title="Run more or less often for a while", toolset=Toolset.STEER,
        needs=Operation.HINT_INTERVAL, writes=True,
    ),
    ToolRow(
        name="hint_run_once", title="Run once, soon", toolset=Toolset.STEER, needs=Operation.HINT_ONE_SHOT, writes=True,
        idempotent=False,  # Asked again when it has run, it runs again.
    ),
    ToolRow(
        name="hint_clear", title="Take hints away", toolset=Toolset.STEER, needs=Operation.HINT_CLEAR, writes=True,
    ),
    ToolRow(
        name="endpoint_pause", title="Pause or resume", toolset=Toolset.STEER, needs=Operation.ENDPOINT_PAUSE,
        writes=True,
    ),
    ToolRow(
        name="policy_backtest", title="Try a policy on the record", toolset=Toolset.POLICY,
        needs=Operation.POLICY_BACKTEST,
    ),
    ToolRow(
        name="policy_propose", title="Propose a policy", toolset=Toolset.POLICY, needs=Operation.DRAFT_PROPOSE,
        writes=True,
    ),
    ToolRow(
        name="policy_activate", title="Put a proposed policy in force", toolset=Toolset.POLICY,
        needs=Operation.DRAFT_ACTIVATE, writes=True,
    ),
    ToolRow(
        name="endpoint_save", title="Make or change an endpoint", toolset=Toolset.ADMIN, needs=Operation.ENDPOINT_EDIT,
        writes=True, destructive=True, idempotent=False,
    ),
    ToolRow(
        name="endpoint_delete", title="Delete an endpoint", toolset=Toolset.ADMIN, needs=Operation.ENDPOINT_DELETE,
        writes=True, destructive=True,
    ),
)  # fmt: skip
"""In the order in which they are listed."""

NAMES = tuple(row.name for row in TOOLS)
TOOLSETS_DEFAULT = (Toolset.OBSERVE, Toolset.STEER, Toolset.POLICY)
"""Those that are offered unless others are named. What makes and deletes endpoints has to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Which tools a server has. One that is not offered is not registered: nobody can call it."""

    toolsets: tuple[Toolset, ...] = TOOLSETS_DEFAULT
    write: bool = False
    """Whether tools that change something are among them."""
    read_only: bool = False
    """Whether none is, whatever `write` says."""
    excluded: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise InvalidInputError where a tool that is excluded is none."""
        for name in self.excluded:
            if name not in NAMES:
                guess = meant_or(name, NAMES, f"There are {', '.join(NAMES)}.")
                raise InvalidInputError(f"{name!r} is no tool, so it can't be excluded. {guess}")

    @property
    def rows(self) -> tuple[ToolRow, ...]:
        """The tools that are offered."""
        writing = self.write and not self.read_only
        return tuple(
            row
            for row in TOOLS
            if row.toolset in self.toolsets and row.name not in self.excluded and (writing or not row.writes)
        )


SCOPES = tuple(sorted({permission.value for row in TOOLS if (permission := NEEDED[row.needs]) is not None}))
"""The permissions that tools need: what the metadata of the resource server calls scopes."""
