"""Calls of a tenant with a key are signed or not made."""

import pytest
from standardwebhooks import Webhook

from cronicorn.adapters.vault.aes_vault import AesVault
from cronicorn.adapters.vault.master_keys import GivenKeys
from cronicorn.domain.call import OutcomeKind, Request
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.fixtures import an_endpoint
from cronicorn.domain.outgoing import call_for
from cronicorn.scheduler.keychains import Keychains
from cronicorn.scheduler.preparing import PreparingDispatcher
from cronicorn.testing.dispatchers import Reply, ScriptedDispatcher
from tests.scheduler.test_keychains import TEXT, Scene

OWN = (
    ("Webhook-Id", "mine"),
    ("WEBHOOK-SIGNATURE", "v1,forged"),
    ("x-cronicorn-signature", "sha256=forged"),
    ("X-A", "b"),
)


def a_call(tenant="t1", body='{"a":1}', headers=OWN):
    request = Request(url="https://shop.example/", body_json=body, headers=headers)
    return call_for(an_endpoint(id="ep1", tenant_id=tenant, request=request), 7, 3)


def dispatchers(scene, **options):
    inner = ScriptedDispatcher()
    return inner, PreparingDispatcher(inner, scene.keychains, scene.clock, **options)


def lower(call):
    names = [name.lower() for name in call.headers]
    assert len(names) == len(set(names))
    return {name.lower(): value for name, value in call.headers.items()}


async def test_a_call_of_a_tenant_with_a_key_is_signed_by_its_slot(monkeypatch):
    scene = Scene()
    await scene.give_key()
    inner, outer = dispatchers(scene)

    await outer.dispatch(a_call())

    [sent] = inner.calls
    headers = lower(sent)
    assert headers["webhook-id"] == headers["idempotency-key"] == "ep1:7"
    assert headers["cronicorn-fence"] == "3"
    assert headers["webhook-timestamp"] == str(int(scene.clock.now().timestamp()))
    assert Webhook(TEXT).sign("ep1:7", scene.clock.now(), '{"a":1}') == headers["webhook-signature"]
    assert headers["x-a"] == "b"
    assert "x-cronicorn-signature" not in headers
    assert sent.signed


async def test_a_call_without_a_body_signs_none():
    scene = Scene()
    await scene.give_key()
    inner, outer = dispatchers(scene)

    await outer.dispatch(a_call(body=None))

    assert lower(inner.calls[0])["webhook-signature"] == Webhook(TEXT).sign("ep1:7", scene.clock.now(), "")


async def test_another_attempt_has_the_same_id_and_its_own_instant():
    scene = Scene()
    await scene.give_key()
    inner, outer = dispatchers(scene)

    await outer.dispatch(a_call())
    scene.clock.move(seconds=90)
    await outer.dispatch(a_call())

    first, second = (lower(call) for call in inner.calls)
    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 90


async def test_the_older_form_stands_beside_it_where_it_is_asked_for():
    scene = Scene()
    await scene.give_key()
    inner, outer = dispatchers(scene, plain=True)

    await outer.dispatch(a_call())

    headers = lower(inner.calls[0])
    assert headers["x-cronicorn-signature"].startswith("sha256=")
    assert "forged" not in str(headers)
    assert headers["x-cronicorn-timestamp"] == headers["webhook-timestamp"]


async def test_calls_of_others_go_out_as_they_are():
    scene = Scene()
    await scene.give_key()
    inner, outer = dispatchers(scene)
    call = a_call("t2")

    await outer.dispatch(call)

    assert inner.calls == [call]


async def test_a_key_that_cannot_be_read_stops_the_call_and_says_why(caplog):
    scene = Scene()
    await scene.give_key()
    scene.keychains = Keychains(scene.store, AesVault(GivenKeys((b"x" * 32,))), scene.clock)
    inner, outer = dispatchers(scene)

    outcome = await outer.dispatch(a_call())

    assert inner.calls == []
    assert outcome.kind is OutcomeKind.SECRET_UNREADABLE
    assert outcome.status_code is None
    assert "CRONICORN_MASTER_KEY_FILE" in outcome.error
    assert [record.message for record in caplog.records] == ["keychain_unreadable"]


async def test_a_call_is_not_made_when_nobody_knows_whether_it_is_signed():
    scene = Scene()
    scene.store.away = True
    inner, outer = dispatchers(scene)

    with pytest.raises(UnavailableError):
        await outer.dispatch(a_call())
    assert inner.calls == []


def a_call_with_secrets(tenant="t1"):
    return a_call(tenant, body='{"pin":"{{secret.pin}}"}', headers=(("Authorization", "Bearer {{secret.token}}"),))


async def test_secrets_are_filled_in_before_the_call_is_signed_and_hidden_in_its_answer():
    scene = Scene()
    await scene.give_key()
    await scene.give_secrets(pin='12"3456', token="tok-live-4711")
    inner, outer = dispatchers(scene)
    inner.script = lambda call, number: Reply(
        body=f'{{"you said":"{call.headers["Authorization"]}"}}', headers=(("x-echo", "tok-live-4711"),)
    )

    outcome = await outer.dispatch(a_call_with_secrets())

    [sent] = inner.calls
    assert sent.body == b'{"pin":"12\\"3456"}'
    assert sent.headers["Authorization"] == "Bearer tok-live-4711"
    signature = Webhook(TEXT).sign("ep1:7", scene.clock.now(), '{"pin":"12\\"3456"}')
    assert sent.headers["webhook-signature"] == signature
    assert outcome.body == '{"you said":"Bearer ********"}'
    assert outcome.headers == (("x-echo", "********"),)


async def test_a_long_answer_is_searched_to_its_end():
    scene = Scene()
    await scene.give_secrets(pin="123456", token="tok-live-4711")
    inner, outer = dispatchers(scene)
    inner.script = lambda call, number: Reply(body=f'"{"x" * 100_000}tok-live-4711"')

    outcome = await outer.dispatch(a_call_with_secrets())

    assert outcome.body.endswith('x********"')
    assert outcome.body_is_json


@pytest.mark.parametrize("given", [{}, {"pin": "123456"}])
async def test_a_secret_that_is_not_there_stops_the_call_and_is_named(given):
    scene = Scene()
    await scene.give_secrets(**given)
    inner, outer = dispatchers(scene)

    outcome = await outer.dispatch(a_call_with_secrets())

    assert inner.calls == []
    assert outcome.kind is OutcomeKind.SECRET_MISSING
    assert "token" in outcome.error
    assert "123456" not in outcome.error


async def test_a_secret_of_another_tenant_is_not_there():
    scene = Scene()
    await scene.give_secrets("t2", pin="123456", token="tok-live-4711")
    _, outer = dispatchers(scene)

    assert (await outer.dispatch(a_call_with_secrets())).kind is OutcomeKind.SECRET_MISSING
    assert (await outer.dispatch(a_call_with_secrets("t2"))).kind is OutcomeKind.RESPONDED


async def test_a_secret_that_cannot_be_opened_stops_the_call():
    scene = Scene()
    await scene.give_secrets(pin="123456", token="tok-live-4711")
    scene.keychains = Keychains(scene.store, AesVault(GivenKeys((b"x" * 32,))), scene.clock)
    inner, outer = dispatchers(scene)

    assert (await outer.dispatch(a_call_with_secrets())).kind is OutcomeKind.SECRET_UNREADABLE
    assert inner.calls == []


async def test_another_text_of_a_secret_counts_within_seconds():
    scene = Scene()
    await scene.give_secrets(pin="123456", token="tok-live-4711")
    inner, outer = dispatchers(scene)
    await outer.dispatch(a_call_with_secrets())

    await scene.give_secrets(token="tok-live-4712")
    scene.wait()
    await outer.dispatch(a_call_with_secrets())

    assert [call.headers["Authorization"][-1] for call in inner.calls] == ["1", "2"]
