"""Secrets go into a call where they are named, and come out of no answer."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronicorn.domain.call import Request
from cronicorn.domain.fixtures import an_endpoint, an_outcome
from cronicorn.domain.keychain.filling import filled_call, hidden
from cronicorn.domain.masking import MASK, looks_secret, masked
from cronicorn.domain.outgoing import call_for
from cronicorn.domain.secret_references import filled, is_reference, named_in

SECRET = 'tok"en\\/+ü\n4711'
TEXTS = st.text(min_size=6, max_size=30).filter(lambda text: len(set(text)) > 3 and "*" not in text)


def a_call(headers=(), body=None):
    return call_for(an_endpoint(request=Request(url="https://shop.example/", headers=headers, body_json=body)), 1)


def test_a_reference_is_filled_in_headers_and_inside_texts_of_a_body():
    texts = ["x-{{secret.a}}-y", "{{other}}", "{{secrets.a}}"]
    body = json.dumps({"key": "{{secret.a}}", "also {{ secret.b }}": texts})
    call = a_call((("Authorization", "Bearer {{secret.b}}"), ("X-Plain", "p")), body)
    assert call.secrets == {"a", "b"}

    sent = filled_call(call, {"a": SECRET, "b": "bbbbbb"})

    assert sent.headers["Authorization"] == "Bearer bbbbbb"
    assert json.loads(sent.body or b"") == {
        "key": SECRET, "also bbbbbb": [f"x-{SECRET}-y", "{{other}}", "{{secrets.a}}"],
    }  # fmt: skip
    assert not sent.secrets
    assert sent.private == {"authorization"}
    assert sent.private_body


def test_a_secret_that_names_another_is_left_as_it_is():
    assert filled("{{secret.a}}", {"a": "{{secret.b}}", "b": "never"}) == "{{secret.b}}"
    assert filled("{{secret.a}}{{secret.b}}", {"a": "1", "b": "2"}) == "12"


def test_what_is_not_there_is_told():
    with pytest.raises(KeyError):
        filled("{{secret.a}}", {})


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", set()), ("{{secret.a}}", {"a"}), ("{{ secret.a-b_C9 }}{{secret.b}}", {"a-b_C9", "b"}),
        ("{{secret.}}", {""}), ("{{secret.1/../x}}", {"1/../x"}), ("{{Secret.a}}", set()), ("{{secret a}}", set()),
        ("{{{secret.a}}}", {"a"}), ("{{secret.{{secret.b}}", {"b"}), ("{secret.a}", set()),
    ],
)  # fmt: skip
def test_what_a_text_names(text, names):
    assert named_in(text) == names


def test_a_header_that_only_names_a_secret_may_be_shown():
    for value in ("{{secret.a}}", "Bearer {{secret.a}}"):
        assert is_reference(value)
        assert not looks_secret("Authorization", value)
    for value in ("Bearer x{{secret.a}}", "{{secret.a}}hunter22", "Basic abc {{secret.a}}", "Bearer hunter22"):
        assert looks_secret("Authorization", value)
    assert masked([("Authorization", "Bearer {{secret.a}}")]) == (("Authorization", "Bearer {{secret.a}}"),)


@given(TEXTS)
def test_no_form_of_a_secret_is_left_in_an_answer(secret):
    forms = [
        secret, json.dumps(secret), json.dumps(secret, ensure_ascii=False), quote(secret, safe=""), quote(secret),
        quote_plus(secret), base64.b64encode(secret.encode("utf-8", "surrogatepass")).decode(),
    ]  # fmt: skip
    outcome = an_outcome(body=" | ".join(forms), headers=tuple(("x-echo", form) for form in forms), error=secret)

    left = hidden(outcome, [secret])

    for text in (left.body or "", left.error or "", *(value for _, value in left.headers)):
        for form in forms[:1] + [form.strip('"') for form in forms[1:3]] + forms[3:]:
            assert form not in text


@pytest.mark.parametrize(
    "written",
    [
        '"wJal\\/K7<&>MDENG\\/bPx"', '"wJal/K7\\u003c\\u0026\\u003eMDENG/bPx"', "wJal/K7&lt;&amp;&gt;MDENG/bPx",
        "d0phbC9LNzwmPk1ERU5HL2JQeA==",
    ],
    ids=["PHP", "Go", "HTML", "base64"],
)  # fmt: skip
def test_the_ways_in_which_common_servers_write_a_text_are_known(written):
    assert hidden(an_outcome(body=f"<p>{written}</p>"), ["wJal/K7<&>MDENG/bPx"]).body in {
        f"<p>{MASK}</p>", f'<p>"{MASK}"</p>',
    }  # fmt: skip


def test_a_secret_of_blanks_spoils_no_answer():
    assert hidden(an_outcome(body="fine"), [" " * 8]).body == "fine"


@pytest.mark.parametrize("length", range(4, 12))
def test_the_beginning_of_a_secret_at_a_cut_is_hidden_too(length):
    outcome = an_outcome(body="said: " + "hunter2hunter2"[:length], body_truncated=True)

    assert hidden(outcome, ["hunter2hunter2"]).body == f"said: {MASK}"


def test_an_answer_that_repeats_nothing_stays_as_it_is():
    outcome = an_outcome(body='{"ok":true}', body_is_json=True, headers=(("a", "b"),))

    assert hidden(outcome, [SECRET, "hunter22"]) == outcome


def test_a_body_that_is_json_no_more_is_not_taken_for_it():
    number = hidden(an_outcome(body='{"pin":123456}', body_is_json=True), ["123456"])
    text = hidden(an_outcome(body='{"pin":"123456"}', body_is_json=True), ["123456"])

    assert (number.body, number.body_is_json) == ('{"pin":********}', False)
    assert (text.body, text.body_is_json) == ('{"pin":"********"}', True)
