import re
import time
from datetime import UTC, datetime

import pytest

from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.domain.cron import CronSchedule, DstGap
from cronicorn.domain.errors import InvalidInputError

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)

UNREADABLE = {
    "": "is empty. Write five fields",
    " \t\n": "is empty. Write five fields",
    "*": "has 1 field. Write five fields",
    "* * * *": "has 4 fields. Write five fields",
    "* * * * * * *": "has 7 fields. Write five fields .* there is no year field",
    "60 * * * *": "The minute field has `60`, .* Use 0-59;",
    "0 24 * * *": "The hour field has `24`, .* Use 0-23;",
    "0 0 0 * *": "The day-of-month field has `0`, .* Use 1-31",
    "0 0 1,32 * *": "The day-of-month field has `32`,",
    "0 0 30 13 *": "The month field has `13`,",
    "0 0 * * 8": "The day-of-week field has `8`,",
    "61 * * * * *": "The second field has `61`,",
    "5-1 * * * *": "has `5-1`, .* ranges rise",
    "* * * * SAT-SUN": "has `SAT-SUN`, .* ranges rise",
    "*/0 * * * *": "has `[*]/0`, .* steps are 1 or more",
    "3-3/0 * * * *": "has `3-3/0`,",
    "1,,2 * * * *": "The minute field has an empty item,",
    ", * * * *": "The minute field has an empty item,",
    "1-2-3 * * * *": "has `1-2-3`,",
    "1-1/1-1/2 * * * *": "has `1-1/1-1/2`,",
    "*-5 * * * *": "has `[*]-5`,",
    "-1 * * * *": "has `-1`,",
    "1.5 * * * *": "has `1.5`,",
    "0 0 ? * *": "has `[?]`,",
    "H * * * *": "has `H`,",
    "0 0 15W * *": "has `15W`,",
    "0 0 L-3 * *": "has `L-3`,",
    "0 0 * * 1#6": "has `1#6`,",
    "0 0 * * monday": "has `monday`,",
    "@Daily": "lower case: `@daily`",
    "@reboot": "no nickname `@reboot`. Use one of @hourly",
    "@daily 5": "no nickname `@daily 5`",
    "@every 5m": "Give the endpoint an interval",
    "CRON_TZ=Europe/Berlin 0 9 * * *": "Leave the prefix out and put the zone into the timezone field",
    "TZ=UTC @daily": "Leave the prefix out and put the zone into the timezone field",
    "٣ * * * *": "has characters beyond ASCII",
    "\ud800 * * * *": "has characters beyond ASCII",
    "\x00 * * * *": "has `.x00`,",
    "\x1b[31m * * * *": "has `.x1b.31m`,",
    "9" * 900 + " * * * *": "The minute field has `9{60}…`,",
    "," * 990 + " * * * *": "The minute field has an empty item,",
    "1," * 490 + "x * * * *": "The minute field has `x`,",
    "*/" * 400 + " * * * *": "The minute field has `",
    "* " * 499: "has 499 fields",
    "*" * 100_000: "has 100000 characters",
}

MEANINGLESS = {
    "*/70 * * * *": "The minute field has `[*]/70`, a step beyond its 60 values. Use a step of at most 60",
    "0 1-5/25 * * *": "The hour field has `1-5/25`, a step beyond its 24 values",
    "0 0 * * */8": "The day-of-week field has `[*]/8`, a step beyond its 7 values",
    "*/" + "9" * 900 + " * * * *": "a step beyond its 60 values",
    "0 0 30 2 *": "never comes: no date has this day",
    "0 0 31 4,6,9,11 *": "never comes: no date has this day",
    "0 0 */31 * 1#2": "never comes: no date has this day",
    "* * * */31 * 1#2": "never comes: no date has this day",
}

UNKNOWN_ZONES = {
    "Europe/Berln": "Did you mean Europe/Berlin",
    "europe/berlin": "Did you mean Europe/Berlin",
    "Tokyo": "Did you mean Asia/Tokyo",
    "America": "Did you mean America/",
    "": "Use an IANA name",
    "/": "Use an IANA name",
    "/etc/passwd": "no time zone",
    "../../etc/passwd": "no time zone",
    "UTC\x00": "no time zone `UTC.x00`",
    "localtime": "no time zone `localtime`",
    "right/UTC": "no time zone `right/UTC`",
    "Ünknown": "no time zone",
    "\udc00": "no time zone",
    "x" * 100_000: "no time zone `x{60}…`",
}


def refusal(expression: str = "30 2 * * *", **rest) -> str:
    with pytest.raises(InvalidInputError) as caught:
        CronsimCron().check(CronSchedule(expression, **rest), NOW)
    return str(caught.value)


@pytest.mark.parametrize(("expression", "sentence"), (UNREADABLE | MEANINGLESS).items(), ids=ascii)
def test_a_bad_expression_is_refused_with_a_sentence_that_says_how_to_mend_it(expression, sentence):
    message = refusal(expression)

    assert re.search(sentence, message)
    assert message.endswith((".", "`."))
    assert message.isprintable()
    assert len(message) < 500


@pytest.mark.parametrize(("zone", "sentence"), UNKNOWN_ZONES.items(), ids=lambda text: ascii(text)[:40])
def test_an_unknown_zone_is_refused_with_the_nearest_names(zone, sentence):
    message = refusal(zone=zone)

    assert re.search(sentence, message)
    assert message.isprintable()
    assert len(message) < 300


@pytest.mark.parametrize("expression", [*UNREADABLE, *MEANINGLESS], ids=ascii)
def test_a_hostile_expression_takes_less_than_fifty_milliseconds(expression):
    began = time.thread_time()

    refusal(expression)

    assert time.thread_time() - began < 0.05


@pytest.mark.parametrize("expression", UNREADABLE, ids=ascii)
def test_what_cannot_be_read_cannot_be_evaluated_either(expression):
    with pytest.raises(InvalidInputError):
        CronsimCron().next(CronSchedule(expression), NOW)


@pytest.mark.parametrize("expression", MEANINGLESS, ids=ascii)
def test_what_can_be_read_is_evaluated_even_where_a_door_would_refuse_it(expression):
    answer = CronsimCron().next(CronSchedule(expression), NOW)

    assert answer is None or answer > NOW


def test_a_time_that_the_clock_always_skips_is_refused_when_skipped_times_do_not_run():
    second_sunday_in_march = "30 2 * 3 0#2"

    message = refusal(second_sunday_in_march, zone="America/New_York", dst_gap=DstGap.SKIP)

    assert "the clock in America/New_York skips every time it names" in message
    assert "the gap policy `run_after` or `shift`" in message


@pytest.mark.parametrize("expression", ["*/60 * * * *", "0 */24 * * *", "0 0 */31 * *", "0 0 29 2 *", "@yearly"])
def test_rare_but_meaningful_expressions_are_accepted(expression):
    CronsimCron().check(CronSchedule(expression), NOW)


def test_checking_leaves_no_trace_in_later_answers():
    cron, schedule = CronsimCron(), CronSchedule("0 * * * *")

    cron.check(schedule, NOW)

    assert cron.next(schedule, NOW) == CronsimCron().next(schedule, NOW)
