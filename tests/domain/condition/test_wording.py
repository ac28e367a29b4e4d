import pytest

from cronicorn.domain.condition.wording import in_words
from tests.domain.condition.declared import read

WORDS = [
    ("err > 5 || st in ['degraded', 'critical']", "err is above 5, or st is one of degraded, critical"),
    ("err < 2 && st == 'healthy'", "err is below 2, and st is healthy"),
    ("err >= 10m", "err is at least 10m"),
    ("err <= limit", "err is at most limit"),
    ("err != 5", "err is not 5"),
    ("st == 'two words'", 'st is "two words"'),
    ("up", "up is true"),
    ("!up", "up is false"),
    ("up == false", "up is false"),
    ("up != need", "up is true exactly when need is false"),
    ("up == (err > 5)", "up is true exactly when err is above 5"),
    ("up && (err > 5 || need)", "up is true, and (err is above 5, or need is true)"),
    ("!(up && err > 5)", "up is false, or err is not above 5"),
    ("!(up || err > 5)", "up is false, and err is not above 5"),
    ("!(st in ['a'])", "st is none of a"),
    ("known(err) && !known(st)", "err is known, and st is unknown"),
    ("st.startsWith('a')", "st begins with a"),
    ("!st.endsWith(name)", "st does not end with name"),
    ("st.lowerAscii().contains('x')", "st in lower case contains x"),
    ("up ? err > 5 : err > 10", "if up is true, err is above 5, otherwise err is above 10"),
    ("!(up ? err > 5 : need)", "if up is true, err is not above 5, otherwise need is false"),
    ("need && (up ? err > 5 : true)", "need is true, and (if up is true, err is above 5, otherwise always)"),
    ("err > (up ? 5 : 10)", "err is above (5 if up is true, otherwise 10)"),
    ("(err + 1) * 2 > limit - 1 * 3", "(err + 1) * 2 is above limit - 1 * 3"),
    ("err - (limit - 1) > -code", "err - (limit - 1) is above -code"),
    ("true", "always"),
    ("!true", "never"),
]


@pytest.mark.parametrize(("text", "words"), WORDS)
def test_a_condition_reads_as_plain_english(text, words):
    assert in_words(read(text)) == words


def test_a_negated_condition_is_worded_by_what_it_denies():
    words = in_words(read("err > 5 || st in ['degraded', 'critical']").negated())

    assert words == "err is not above 5, and st is none of degraded, critical"
