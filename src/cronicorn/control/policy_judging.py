"""What an owner may not have meant with a policy: each of these is accepted, and told."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from cronicorn.control.findings import Findings
from cronicorn.domain.endpoint import BaselineKind, JobEndpoint
from cronicorn.domain.errors import FieldError
from cronicorn.domain.nearest import nearest
from cronicorn.domain.policy.policy import ActionKind, Policy
from cronicorn.domain.policy.text import policy_from, policy_text
from cronicorn.domain.policy.undeclared import undeclared_texts
from cronicorn.domain.trying import Cadence, tried

_CALLS = {ActionKind.INTERVAL, ActionKind.RUN_ONCE}


def judge_policy(endpoint: JobEndpoint, findings: Findings) -> None:
    """Report what the policy of *endpoint* may not have meant there, its own tests included."""
    policy = endpoint.policy
    if policy is None:
        return
    calls = any(rule.action.kind in _CALLS and rule.action.on is None for rule in policy.rules)
    if calls and endpoint.interval_min is None:
        findings.warn("/policy", "Give minIntervalMs: nothing else bounds how often its rules may call the endpoint.")
    for problem in undeclared_texts(policy):
        findings.warn(f"/policy{problem.pointer}", problem.problem)
    baseline = endpoint.baseline
    every = baseline.length if baseline.kind is BaselineKind.INTERVAL else None
    cadence = Cadence(every=every, interval_min=endpoint.interval_min, interval_max=endpoint.interval_max)
    for number in _failing(policy_text(policy), cadence) if policy.examples else ():
        findings.warn(f"/policy/tests/{number}", "This test of the policy does not hold on this endpoint.")


@lru_cache(maxsize=1_024)
def _failing(text: str, cadence: Cadence) -> tuple[int, ...]:
    """The tests that do not hold, of the policy that *text* writes: endpoints are read far more often than written."""
    return tuple(number for number, result in enumerate(tried(policy_from(text), cadence)) if not result.held)


def strangers(endpoint: JobEndpoint, names: Iterable[str]) -> tuple[FieldError, ...]:
    """Warnings of siblings that the policy of *endpoint* names and that are not among *names*."""
    policy, known = endpoint.policy, set(names)
    if policy is None:
        return ()
    return tuple(_stranger(pointer, name, known) for pointer, name in _named(policy) if name not in known)


def names_siblings(endpoint: JobEndpoint) -> bool:
    """Whether the policy of *endpoint* speaks of other endpoints."""
    return endpoint.policy is not None and next(_named(endpoint.policy), None) is not None


def _named(policy: Policy) -> Iterator[tuple[str, str]]:
    """Each sibling that is named, and where."""
    for field in policy.fields:
        if field.sibling is not None:
            yield f"/policy/fields/{field.name}/from", field.sibling
    for name, place in policy.orders():
        yield f"/policy{place}", name


def _stranger(pointer: str, name: str, known: set[str]) -> FieldError:
    meant = nearest(name, sorted(known))
    advice = f" Did you mean {meant}?" if meant else ""
    return FieldError(pointer=pointer, message=f"The job has no endpoint called {name}: this does nothing.{advice}")
