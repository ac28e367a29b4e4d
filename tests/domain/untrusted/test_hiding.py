"""What is secret in an answer is masked before any model sees it."""

from cronicorn.domain.masking import MASK
from cronicorn.domain.untrusted.hiding import without_secrets


def test_members_that_look_secret_are_masked() -> None:
    assert without_secrets({"password": "x", "state": "ok", "items": [{"api_key": 7}]}) == {
        "password": MASK, "state": "ok", "items": [{"api_key": MASK}],
    }  # fmt: skip


def test_a_credential_in_prose_is_masked_and_the_prose_is_shown() -> None:
    assert without_secrets({"error": ["Refused: Bearer abcdefgh1234 is old."]}) == {
        "error": [f"Refused: {MASK} is old."]
    }


def test_what_is_known_to_be_secret_is_masked_wherever_it_stands() -> None:
    answer = {"echo": "You sent swordfish!", "swordfish": [4711_4711, 5], "state": "ok"}

    assert without_secrets(answer, ("swordfish", "47114711")) == {
        "echo": f"You sent {MASK}!", MASK: [MASK, 5], "state": "ok",
    }  # fmt: skip


def test_what_is_nested_too_deeply_is_masked_as_a_whole() -> None:
    assert without_secrets([[["x"]]], depth=2) == [[MASK]]


def test_a_member_whose_name_stands_beside_it_is_masked() -> None:
    assert without_secrets([{"name": "db_password", "value": "x"}, {"Name": "region", "Value": "eu"}]) == [
        {"name": "db_password", "value": MASK}, {"Name": "region", "Value": "eu"},
    ]  # fmt: skip


def test_no_truth_value_is_secret() -> None:
    assert without_secrets({"pass": True, "token": None}) == {"pass": True, "token": None}
