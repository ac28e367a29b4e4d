"""The public scheduler library: the loop that runs slots, and the AI turn beside it."""

from cronicorn.scheduler.ai import (
    AIClient,
    AIFatalError,
    AITransientError,
    Question,
    Session,
    SessionWarning,
    TokenUsage,
    ToolCall,
)
from cronicorn.scheduler.claiming import claim_with_lease, commit_outcome
from cronicorn.scheduler.held import HeldLease
from cronicorn.scheduler.loop import Scheduler
from cronicorn.scheduler.ports import Planner
from cronicorn.scheduler.retention import Retention, forget
from cronicorn.scheduler.settings import SchedulerSettings
from cronicorn.scheduler.tools import Tool, call_tool, tool

__all__ = [
    "AIClient",
    "AIFatalError",
    "AITransientError",
    "HeldLease",
    "Planner",
    "Question",
    "Retention",
    "Scheduler",
    "SchedulerSettings",
    "Session",
    "SessionWarning",
    "TokenUsage",
    "Tool",
    "ToolCall",
    "call_tool",
    "claim_with_lease",
    "commit_outcome",
    "forget",
    "tool",
]
