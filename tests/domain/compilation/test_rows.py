"""Drafts as they were stored by an earlier version."""

import json

from cronicorn.domain.compilation.deciding import activated
from cronicorn.domain.compilation.draft import DraftStatus
from cronicorn.domain.compilation.rows import draft_of, draft_row
from cronicorn.domain.fixtures import MIDNIGHT, an_endpoint
from cronicorn.domain.policy.text import policy_from
from cronicorn.domain.settlement import Stored
from cronicorn.testing.contracts.stores import CRON
from tests.domain.compilation.values import DESCRIPTION, a_draft, a_policy, a_rule, text

LONG = text(a_policy(a_rule("err > 5"), unsupported=["mail"])).replace("mail", "m" * 501)


def test_a_draft_is_activated_over_a_policy_that_was_stored_with_longer_texts() -> None:
    endpoint = an_endpoint(description=DESCRIPTION, policy=policy_from(LONG))
    row = draft_row(a_draft(status=DraftStatus.DRAFT))
    stored = {**json.loads(str(row["document"])), "replaces": LONG}

    read = draft_of({**row, "document": json.dumps(stored)}, endpoint.id)

    decided = activated(read, endpoint, Stored(now=MIDNIGHT), CRON, "alice")
    assert decided.draft.status is DraftStatus.ACTIVE
