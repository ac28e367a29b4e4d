"""Values for tests of compiling."""

import json
from datetime import timedelta
from typing import Any

from cronicorn.domain.compilation.draft import CompileReason, Draft, DraftStatus, text_of
from cronicorn.domain.fixtures import MIDNIGHT, a_lease, a_run, an_endpoint, an_outcome
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.run import Run

DESCRIPTION = "Check every 15 s while errors are high."


def a_policy(*rules: dict[str, Any], fields: dict[str, Any] | None = None, **more: Any) -> Policy:
    """A policy over `err`, `state` and `up`, unless told otherwise."""
    declared = fields or {
        "err": {"path": "$.err", "type": "number"},
        "state": {"path": "$.state", "type": "string"},
        "up": {"path": "$.up", "type": "bool"},
    }
    return policy_of({"version": 1, "fields": declared, "rules": list(rules), **more})


def a_rule(when: str, until: str | None = None, **more: Any) -> dict[str, Any]:
    """A rule that looks every 15 s."""
    rule = {"id": "rule", "when": when, "action": {"interval": "15s"}} | ({"until": until} if until else {})
    return rule | more


SURGE = a_policy(a_rule("err > 5", "err < 2"))


def answers(*bodies: object, **outcome: Any) -> list[Run]:
    """Runs, a minute apart, answered *bodies* in their order."""
    lease = a_lease(an_endpoint())
    return [
        a_run(
            lease,
            an_outcome(body=json.dumps(body), body_is_json=True, **outcome),
            slot=number,
            started_at=MIDNIGHT + timedelta(minutes=number),
            finished_at=MIDNIGHT + timedelta(minutes=number),
        )
        for number, body in enumerate(bodies, 1)
    ]


def a_draft(**changes: Any) -> Draft:
    """A draft of SURGE that is in force."""
    values: dict[str, Any] = {
        "id": "dr1", "tenant_id": "t1", "endpoint_id": "ep1", "hash": "h", "status": DraftStatus.ACTIVE,
        "policy": SURGE, "description": DESCRIPTION, "replaces": None, "reason": CompileReason.FIRST,
        "classes": frozenset({"2xx json"}), "created_at": MIDNIGHT, "created_by": "ann", "decided_at": MIDNIGHT,
        "decided_by": "ann",
    }  # fmt: skip
    values |= changes
    if values["status"] in {DraftStatus.DRAFT, DraftStatus.NEEDS_ATTENTION} and "decided_at" not in changes:
        values |= {"decided_at": None, "decided_by": None}
    return Draft(**values)


def text(policy: Policy) -> str:
    """The text of *policy*."""
    found = text_of(policy)
    assert found is not None
    return found
