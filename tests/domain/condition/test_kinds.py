import pytest

from cronicorn.domain.condition.kinds import FIELD_NAME_MAX, METHODS, RESERVED, field_name_problem


@pytest.mark.parametrize("name", ["err", "_x", "error_rate_pct", "p99", "Known", "type", "a" * FIELD_NAME_MAX])
def test_a_name_of_letters_digits_and_underscores_is_fine(name):
    assert field_name_problem(name) is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "letters"),
        ("9lives", "letters"),
        ("a-b", "letters"),
        ("é", "letters"),
        ("err\n", "letters"),
        ("a" * (FIELD_NAME_MAX + 1), "at most 64"),
        ("known", "function"),
        *((method, "function") for method in METHODS),
        *((word, "reserved") for word in sorted(RESERVED)),
    ],
)
def test_any_other_name_is_refused_with_its_reason(name, told):
    assert told in (field_name_problem(name) or "")
