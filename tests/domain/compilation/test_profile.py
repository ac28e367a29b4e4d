"""The profile of answers tells what stands where, and nothing that anybody wrote."""

import json
import string
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cronicorn.domain.compilation.answer_profile import (
    PATH_CHARACTERS_MAX,
    PATHS_MAX,
    RUNS_MAX,
    WORDS_MAX,
    Numbers,
    Place,
    profile_document,
    profile_of,
    profile_told,
)
from cronicorn.domain.compilation.draft import cache_key
from cronicorn.domain.fixtures import a_lease, a_run, an_endpoint, an_outcome
from cronicorn.domain.untrusted.redaction import NOTHING_SECRET, Redaction
from tests.domain.compilation.values import answers

WORDS = set(string.ascii_letters + string.digits + "_.:-")


def place(path: str, *bodies: object) -> Place:
    """What stands at *path* in *bodies*."""
    (found,) = (each for each in profile_of(answers(*bodies)).places if each.path == path)
    return found


def test_numbers_are_told_by_least_median_and_most():
    found = place("$.err", {"err": 9}, {"err": 1}, {"err": 2.5}, {"other": 0})

    assert found.numbers == Numbers(least=1, middle=2.5, most=9)
    assert (found.types, found.presence) == (("number",), 0.75)


def test_the_text_of_a_number_counts_as_one():
    assert place("$.err", {"err": "8.5"}).types == ("number",)


def test_a_number_under_a_secret_name_is_not_told():
    found = place("$.pin_token", {"pin_token": 4711}, {"pin_token": "4712"}, {"pin_token": 4713})

    assert (found.numbers, found.words) == (None, ())
    assert found.types == ("number", "string")


def told_paths(pointers: tuple[str, ...], *, known: tuple[str, ...] = ()) -> list[str]:
    profile = profile_of(answers({"user": {"name": "ann", "age": 4}, "list": [{"name": "bob"}], "state": "ok"}))
    told = profile_told(profile, Redaction(body=pointers), known)
    assert len(told.places) + told.left_out == len(profile.places)
    return [each.path for each in told.places]


def test_what_is_redacted_now_is_not_told_of_answers_recorded_before():
    assert told_paths(()) == ["$.list[0].name", "$.state", "$.user.age", "$.user.name"]
    assert told_paths(("/user/name",)) == ["$.list[0].name", "$.state", "$.user.age"]
    assert told_paths(("/user",)) == ["$.list[0].name", "$.state"]
    assert told_paths(("/list/3/name", "/*/age")) == ["$.state", "$.user.name"]
    assert told_paths(("/list/*", "/user/name/first")) == ["$.state", "$.user.age", "$.user.name"]
    assert told_paths(("",)) == []


def test_a_word_that_the_endpoint_is_called_with_is_not_told():
    profile = profile_told(profile_of(answers({"echo": "x-hunter22"}, {"echo": "y"})), NOTHING_SECRET, ["hunter22"])

    assert profile.places[0].words == ()


def test_few_short_words_are_told_as_an_enumeration():
    assert place("$.state", {"state": "up"}, {"state": "down"}, {"state": "up"}).words == ("down", "up")


def test_one_value_that_is_no_short_word_hides_them_all():
    assert place("$.state", {"state": "up"}, {"state": "all is well"}, {"state": "down"}).words == ()


def test_too_many_words_are_no_enumeration():
    bodies = [{"id": f"a{number}"} for number in range(WORDS_MAX + 1)]

    assert place("$.id", *bodies[:-1]).words != ()
    assert place("$.id", *bodies).words == ()


def test_what_differs_in_type_is_told_with_all_of_them():
    assert place("$.x", {"x": None}, {"x": True}, {"x": 1}, {"x": "a"}).types == ("bool", "null", "number", "string")


def test_elements_of_a_list_are_told_as_its_first():
    found = place("$.checks[0].state", {"checks": [{"state": "a"}, {"state": "b"}]})

    assert found.words == ("a", "b")
    assert profile_of(answers({"checks": [{"state": "a"}]})).place(("checks", -1, "state")) is not None


def test_only_the_last_answers_count():
    bodies = [{"old": 1}] * 5 + [{"new": 1}] * RUNS_MAX

    assert [each.path for each in profile_of(answers(*bodies)).places] == ["$.new"]


def test_what_ended_on_our_side_and_what_is_no_json_has_no_places():
    lease = a_lease(an_endpoint())
    text = a_run(lease, an_outcome(body="<html>", body_is_json=False))
    failed = a_run(lease, an_outcome(503), slot=2)

    profile = profile_of([text, failed])

    assert (profile.places, profile.classes, profile.answers) == ((), frozenset({"2xx text", "5xx empty"}), 2)


def test_many_places_are_cut_to_those_that_most_answers_have():
    wide = {f"k{number}": number for number in range(PATHS_MAX + 50)}

    profile = profile_of(answers(wide, {"z": 1}, {"z": 2}, {"z": 3}))

    assert len(profile.places) == PATHS_MAX
    assert "$.z" in [each.path for each in profile.places]
    assert profile.left_out == 51


def test_the_key_of_the_cache_follows_form_and_description_and_no_values():
    def key(*bodies: object, **changes: Any) -> str:
        endpoint = an_endpoint(**{"description": "Look.", **changes})
        return cache_key(endpoint, ["b", "a"], profile_of(answers(*bodies)), "m")

    first = key({"err": 1})

    assert first == key({"err": 2}, {"err": 900})
    assert first != key({"err": 1, "more": 2})
    assert first != key({"err": "much"})
    assert first != key({"err": 1}, description="Look closer.")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=80), inner, max_size=6),
    max_leaves=40,
)


@given(st.lists(JSON, max_size=8))
def test_no_answer_breaks_it_and_only_names_and_short_words_are_told(bodies):
    profile = profile_of(answers(*bodies))
    document = profile_document(profile)

    assert len(profile.places) <= PATHS_MAX
    assert len(json.dumps(document)) < 40_000
    for each in profile.places:
        assert len(each.path) <= PATH_CHARACTERS_MAX
        assert set(each.path) <= WORDS | set("$[]")
        assert all(0 < len(word) <= 32 and set(word) <= WORDS for word in each.words)
        assert 0 < each.presence <= 1 or each.presence == 0.0


def test_a_word_that_another_member_names_a_secret_is_not_told() -> None:
    profile = profile_of(answers({"name": "password", "value": "swordfish"}, {"name": "password", "value": "sesame"}))

    assert [each.words for each in profile.places if each.path == "$.value"] == [()]


def test_what_says_only_that_nothing_changed_is_no_answer():
    full, unchanged = answers({"err": 1}), answers(*[None] * RUNS_MAX)
    unchanged = [replace(run, outcome=an_outcome(304)) for run in unchanged]

    profile = profile_of([*full, *unchanged])

    assert (profile.answers, profile.classes) == (1, frozenset({"2xx json"}))
    assert [place.path for place in profile.places] == ["$.err"]
