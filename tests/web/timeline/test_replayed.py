"""What a replay tells, drawn: as many calls as it counted, spans between its bounds, and no point that nobody knows."""

import re
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.instant import MINUTE, ZERO, minute_of
from cronicorn.domain.replay.replayed import (
    Behaviour,
    Conclusion,
    Delay,
    Episode,
    ReactionTimes,
    Replayed,
    RuleSummary,
)
from cronicorn.web.timeline.replayed import SLICES, reaction_drawing, replay_drawing, slices_of

HOUR = timedelta(hours=1)
DELAY = Delay(low=ZERO, high=MINUTE)
LONGEST = Delay(low=MINUTE, high=5 * MINUTE)
EPISODE = Episode(
    rule="surge <b>", in_force_at=MIDNIGHT + 2 * HOUR, ended_at=MIDNIGHT + 3 * HOUR, after=MIDNIGHT + HOUR,
    by=MIDNIGHT + 1.5 * HOUR,
)  # fmt: skip


def behaviour(*minutes: int) -> Behaviour:
    first = minute_of(MIDNIGHT)
    return Behaviour(
        calls=len(minutes), calls_a_day=None, minute_peak=1, host_minute_peak=1, flips_an_hour=None,
        reaction=ReactionTimes(episodes=1, mean=DELAY, longest=LONGEST),
        by_minute={first + minute: minutes.count(minute) for minute in minutes},
    )  # fmt: skip


def a_replay(hours: int = 4, old: Behaviour | None = None, new: Behaviour | None = None) -> Replayed:
    rule = RuleSummary(rule="surge <b>", entered=1, in_force=HOUR, answers=9, unknown=0, unseen=0)
    return Replayed(
        first_at=MIDNIGHT, last_at=MIDNIGHT + hours * HOUR, recorded=4, gap_max=HOUR,
        old=old or behaviour(*range(0, hours * 60 + 1, 60)), new=new or behaviour(*range(0, hours * 60 + 1, 10)),
        together=2, rules=(rule,), episodes=(EPISODE,), episodes_count=1, conclusion=Conclusion.DIFFERS, because="So.",
    )  # fmt: skip


def test_every_call_is_in_one_slice_however_long_the_record() -> None:
    for hours in (0, 1, 4, 24 * 90, 87_600):
        minutes = range(0, hours * 60 + 1, max(1, hours))
        replay = a_replay(hours, behaviour(*minutes), behaviour(0))
        slices = slices_of(replay, SLICES)

        assert len(slices) <= SLICES
        assert (sum(each.old for each in slices), sum(each.new for each in slices)) == (len(minutes), 1)
        assert all(one.until == two.since for one, two in pairwise(slices))
        assert replay_drawing(replay) is not None


def test_an_onset_is_drawn_from_one_bound_to_the_other_and_the_rule_where_it_was_in_force() -> None:
    text = str(replay_drawing(a_replay()))

    onset = re.search(r'class="unsure" d="M([0-9.]+) [0-9.]+H([0-9.]+)"', text)
    box = re.search(r'class="box" d="M([0-9.]+) [0-9.]+h([0-9.]+)', text)
    assert onset is not None
    assert box is not None
    begun, seen, left, width = (float(each) for each in (*onset.groups(), *box.groups()))
    assert begun < seen < left
    assert abs((seen - begun) * 2 - width) < 1.0
    assert "surge &lt;b&gt;" in text
    assert "5 calls as it happened, 25 under these rules" in text


def test_what_nobody_can_tell_is_not_drawn() -> None:
    replay = a_replay()
    unknown = replace(replay, episodes=(Episode(rule="surge <b>", in_force_at=MIDNIGHT + 2 * HOUR),))
    blind = replace(replay.old, reaction=None)
    text = str(replay_drawing(unknown))

    assert 'class="unsure" d="M0 0"' in text
    assert replay_drawing(replace(replay, first_at=None, last_at=None)) is None
    assert reaction_drawing(blind, blind) is None
    assert str(reaction_drawing(blind, replay.new)).count("<rect") == 1


def test_reactions_are_spans_between_their_bounds() -> None:
    text = str(reaction_drawing(behaviour(0), replace(behaviour(0), reaction=ReactionTimes(
        episodes=1, mean=LONGEST, longest=Delay(low=MINUTE, high=10 * MINUTE)))))  # fmt: skip

    widths = [
        float(each) for each in re.findall(r'<rect class="[a-z]+" x="[0-9.]+" y="[0-9.]+" width="([0-9.]+)"', text)
    ]
    assert [round(each / widths[0]) for each in widths] == [1, 4]
    assert "1 min to 10 min at the longest" in text
