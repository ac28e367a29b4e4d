"""Only a draft that nobody needs to look at takes effect by itself."""

from datetime import timedelta

import pytest

from cronicorn.domain.compilation.deciding import activated, rejected
from cronicorn.domain.compilation.difference import difference
from cronicorn.domain.compilation.draft import DraftStatus, Figures, Finding, FindingCheck, Severity
from cronicorn.domain.compilation.envelope import outside
from cronicorn.domain.endpoint import CompileMode
from cronicorn.domain.errors import ConflictError
from cronicorn.domain.fixtures import MIDNIGHT, an_endpoint
from cronicorn.domain.settlement import Stored
from cronicorn.testing.cron import EveryMinuteCron
from tests.domain.compilation.values import DESCRIPTION, SURGE, a_draft, a_policy, a_rule, text

UNVERIFIED = Finding(check=FindingCheck.FIELDS, severity=Severity.WARNING, pointer="", message="Unverified.")
FIGURES = Figures(recorded=90, calls_a_day_old=1_000.0, calls_a_day_new=1_999.0)
AUTO = an_endpoint(compile_mode=CompileMode.AUTO, description=DESCRIPTION)
STORED = Stored(now=MIDNIGHT + timedelta(hours=1), leased_slot=None)


def waiting(**changes):
    return a_draft(**({"status": DraftStatus.DRAFT, "figures": FIGURES} | changes))


def test_inside_nothing_has_to_be_looked_at():
    assert outside(waiting(), AUTO, []) is None


@pytest.mark.parametrize(("changes", "why"), [
    ({"figures": None}, "not tried"),
    ({"figures": Figures(calls_a_day_old=1_000.0, calls_a_day_new=2_000.0)}, "factor of 2"),
    ({"figures": Figures(calls_a_day_old=1_000.0, calls_a_day_new=500.0)}, "factor of 2"),
    ({"figures": Figures(calls_a_day_old=0.0, calls_a_day_new=2.0)}, "factor of 2"),
    ({"findings": (UNVERIFIED,)}, "look at"),
    ({"policy": a_policy(a_rule("err > 5"), unsupported=["mail"])}, "could not be expressed"),
    ({"policy": a_policy(a_rule("err > 5", action={"run": "other"}))}, "more than"),
    ({"policy": a_policy(a_rule("err > 5", action={"defer": "5m"}))}, "more than"),
    ({"status": DraftStatus.NEEDS_ATTENTION}, "needs attention, and only a draft"),
])  # fmt: skip
def test_everything_else_waits_for_a_person(changes, why):
    assert why in (outside(waiting(**changes), AUTO, []) or "")


def test_only_what_was_compiled_is_replaced_without_a_person():
    ours = an_endpoint(compile_mode=CompileMode.AUTO, policy=SURGE)
    theirs = an_endpoint(compile_mode=CompileMode.AUTO, policy=a_policy(a_rule("err > 9")))

    assert outside(waiting(), ours, [a_draft()]) is None
    assert "A person wrote" in (outside(waiting(), theirs, [a_draft()]) or "")
    assert "A person wrote" in (outside(waiting(), ours, []) or "")


def test_in_review_everything_waits():
    assert "review" in (outside(waiting(), an_endpoint(), []) or "")


def test_a_draft_becomes_the_policy_as_an_edit_would_make_it():
    decided = activated(waiting(), AUTO, STORED, EveryMinuteCron(), "ann")

    assert decided.change is not None
    assert decided.change.endpoint.policy == SURGE
    assert decided.change.endpoint.version == AUTO.version + 1
    assert (decided.draft.status, decided.draft.decided_by) == (DraftStatus.ACTIVE, "ann")


@pytest.mark.parametrize("changes", [{"description": "Another."}, {"policy": a_policy(a_rule("err > 9"))}])
def test_an_endpoint_that_changed_meanwhile_refuses_the_draft(changes):
    changed = an_endpoint(**({"description": DESCRIPTION} | changes))

    with pytest.raises(ConflictError, match="has changed"):
        activated(waiting(), changed, STORED, EveryMinuteCron(), "ann")


def test_a_draft_that_is_in_force_is_activated_again_without_effect_and_never_rejected():
    in_force = an_endpoint(policy=SURGE, description=DESCRIPTION)

    assert activated(a_draft(), in_force, STORED, EveryMinuteCron(), "bob").draft == a_draft()
    with pytest.raises(ConflictError):
        rejected(a_draft(), STORED.now, "bob")


def test_the_difference_tells_parts_and_no_words():
    before = a_policy(a_rule("err > 5", why="old words"), limits={"flips_per_hour": 9})
    after = a_policy(a_rule("err > 5", why="new words"), a_rule("up", id="new"))

    assert [(each.step, each.what, each.name) for each in difference(before, after)] == [
        ("added", "rule", "new"),
        ("removed", "limit", "flips_per_hour"),
    ]
    assert [(each.step, each.what) for each in difference(before, None)][-2:] == [
        ("removed", "rule"),
        ("removed", "limit"),
    ]
    assert difference(None, None) == ()


def test_a_draft_remembers_what_it_would_replace():
    changed = an_endpoint(policy=SURGE, description=DESCRIPTION)

    decided = activated(waiting(replaces=text(SURGE)), changed, STORED, EveryMinuteCron(), "ann")

    assert decided.draft.status is DraftStatus.ACTIVE
