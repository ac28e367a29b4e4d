"""What may go wrong with a request, in the words of the port."""

import re
from dataclasses import dataclass
from datetime import timedelta

from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelServerError,
    ModelUnavailableError,
    UserError,
)

from cronicorn.scheduler.ai import AIFatalError, AITransientError, SessionWarning, TokenUsage

_RETRY_AFTER_MAX = timedelta(days=1)
_MAY_PASS = {408, 409, 425}
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One failed request."""

    cause: Exception
    message: str
    is_fatal: bool = False
    """Whether a person has to change something first."""
    may_pass: bool = False
    """Whether the same request may well work in a moment."""
    may_have_worked: bool = False
    """Whether the model may have read the request, so that it is paid for."""
    retry_after: timedelta | None = None
    bound: SessionWarning | None = None
    """Set when the provider is in order, and only this question can't be asked."""

    def error(self, usage: TokenUsage) -> AIFatalError | AITransientError:
        """The error to raise, after *usage*."""
        if self.is_fatal:
            return AIFatalError(self.message, usage=usage)
        return AITransientError(self.message, retry_after=self.retry_after, usage=usage)


def fault_of(error: Exception) -> Fault:
    """What *error*, raised by the library, means. Nothing a provider wrote is repeated but its error code."""
    match error:
        case ModelContextWindowExceededError() | ModelHTTPError(status_code=413):
            message = "The question is longer than the model can read."
            fault = Fault(cause=error, message=message, bound=SessionWarning.INPUT_TOO_LONG)
        case ModelQuotaExceededError():
            message = _said(error, "Credit or quota is used up; mend it at the provider")
            fault = Fault(cause=error, message=message, is_fatal=True)
        case ModelAuthenticationError() | ModelNotFoundError() | ModelHTTPError(status_code=405 | 410):
            message = _said(error, "Check the API key, the name of the model and the base URL")
            fault = Fault(cause=error, message=message, is_fatal=True)
        case ModelRequestRejectedError():  # It may be for what one tenant wrote: no reason to leave the others waiting.
            message = _said(error, "It may not like what this question says; if all are refused, check the model")
            fault = Fault(cause=error, message=message)
        case UserError():
            fault = Fault(cause=error, message=f"The model can't be asked like this: {error.message}", is_fatal=True)
        case ModelRateLimitError() | ModelUnavailableError() | ModelServerError():
            message = _said(error, "Ask again later")
            fault = Fault(cause=error, message=message, may_pass=True, retry_after=_retry_after(error))
        case ModelHTTPError():
            message = _said(error, "Check the base URL, or ask again later")
            may_pass = error.status_code in _MAY_PASS
            fault = Fault(cause=error, message=message, may_pass=may_pass, retry_after=_retry_after(error))
        case ModelConnectionError():
            message = "The model's server can't be reached, or broke off. Check the base URL, or ask again later."
            was_sent = error.phase not in {"pool", "connect"}
            fault = Fault(cause=error, message=message, may_pass=True, may_have_worked=was_sent)
        case _:
            message = "The model's server answered what can't be read. Check the base URL, or ask again later."
            fault = Fault(cause=error, message=message, may_have_worked=True)
    return fault


def _said(error: ModelAPIError, advice: str) -> str:
    status = f" {error.status_code}" if isinstance(error, ModelHTTPError) else ""
    code = error.provider_error_code
    detail = f" ({code})" if code is not None and _CODE.fullmatch(code) else ""
    return f"The model's server refused the request:{status}{detail}. {advice}."


def _retry_after(error: ModelAPIError) -> timedelta | None:
    if error.retry_after is None:
        return None
    return timedelta(seconds=min(max(error.retry_after, 0.0), _RETRY_AFTER_MAX.total_seconds()))
