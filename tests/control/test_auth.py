"""The `auth` of an endpoint, at the doors."""

import pytest

from cronicorn.control.document import EndpointPatch
from cronicorn.control.drafting import blank, drafted
from cronicorn.control.findings import Findings
from cronicorn.control.rendering import shown
from cronicorn.control.secret_names import SecretNames
from cronicorn.control.validation import judge_request
from cronicorn.domain.access.audit_views import masked
from cronicorn.domain.document import endpoint_document, endpoint_of
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.masking import MASK
from tests.control.world import a_world

OAUTH2 = {
    "type": "oauth2", "tokenUrl": "https://id.example/token?tenant=7", "clientId": "shop",
    "clientSecret": "{{secret.client}}", "clientAuth": "body", "scope": "read", "parameters": {"audience": "api"},
}  # fmt: skip
BASIC = {"type": "basic", "username": "ada", "password": "{{secret.pw}}"}
BEARER = {"type": "bearer", "token": "{{secret.token}}"}


def draft(auth, before=None, **fields):
    findings = Findings()
    before = before or blank("t1", "job1", "ep1", MIDNIGHT)
    endpoint = drafted(before, EndpointPatch.model_validate({"auth": auth} | fields), MIDNIGHT, findings)
    judge_request(endpoint.request, findings)
    return endpoint, findings


@pytest.mark.parametrize(
    "auth",
    [BEARER, BASIC, {"type": "basic", "username": "{{secret.key}}"}, OAUTH2, OAUTH2 | {"clientId": "{{secret.id}}"}],
)
def test_an_auth_is_read_stored_and_shown_as_it_was_given(auth):
    endpoint, findings = draft(auth)

    assert list(findings.errors) == findings.noticed == []
    assert endpoint_of(endpoint_document(endpoint)) == endpoint
    assert shown(endpoint)["auth"] == auth
    assert draft(shown(endpoint, reveal=True)["auth"])[0].request == endpoint.request


def test_another_auth_takes_the_place_of_the_old_one_and_null_takes_it_away():
    first, _ = draft(OAUTH2)

    second, _ = draft(BEARER, first)
    third, _ = draft(None, second)

    assert shown(second)["auth"] == BEARER
    assert third.request.auth is None
    assert "auth" not in shown(third)


@pytest.mark.parametrize(
    ("auth", "pointer"),
    [
        ({}, "/auth/type"),
        ({"type": "bearer"}, "/auth/token"),
        ({"type": "bearer", "token": "plain-4711"}, "/auth/token"),
        ({"type": "bearer", "token": "Bearer {{secret.token}}"}, "/auth/token"),
        ({"type": "bearer", "token": MASK}, "/auth/token"),
        (BEARER | {"password": "{{secret.pw}}"}, "/auth/password"),
        ({"type": "basic", "username": "ada"}, "/auth/password"),
        (BASIC | {"password": "plain-4711"}, "/auth/password"),
        (BASIC | {"username": "{{secret.key}}", "password": "plain-4711"}, "/auth/password"),
        (BASIC | {"username": "a:b"}, "/auth/username"),
        (BASIC | {"username": "sk_live_4711471147114711"}, "/auth/username"),
        (OAUTH2 | {"tokenUrl": None}, "/auth/tokenUrl"),
        (OAUTH2 | {"tokenUrl": "ftp://id.example/"}, "/auth/tokenUrl"),
        (OAUTH2 | {"tokenUrl": "https://ada:pw4711@id.example/"}, "/auth/tokenUrl"),
        (OAUTH2 | {"tokenUrl": "https://id.example/?k={{secret.k}}"}, "/auth/tokenUrl"),
        (OAUTH2 | {"clientSecret": "plain-4711"}, "/auth/clientSecret"),
        (OAUTH2 | {"clientId": ""}, "/auth/clientId"),
        (OAUTH2 | {"scope": "a\nb"}, "/auth/scope"),
        (OAUTH2 | {"token": "{{secret.token}}"}, "/auth/token"),
        (OAUTH2 | {"parameters": {"grant_type": "password"}}, "/auth/parameters/grant_type"),
        (OAUTH2 | {"parameters": {"assertion_token": "plain-4711"}}, "/auth/parameters/assertion_token"),
        (OAUTH2 | {"parameters": {"a/b": "x\ny"}}, "/auth/parameters/a~1b"),
        (OAUTH2 | {"parameters": {str(number): "x" for number in range(21)}}, "/auth/parameters"),
    ],
)
def test_what_can_not_be_used_is_refused_where_it_stands_and_never_repeated(auth, pointer):
    before, _ = draft(BASIC)

    endpoint, findings = draft(auth, before)

    assert pointer in [error.pointer for error in findings.errors]
    assert "4711" not in str(findings)
    assert endpoint.request.auth == before.request.auth


def test_an_authorization_header_beside_it_is_refused():
    _, findings = draft(BEARER, headersJson={"authorization": "Bearer {{secret.other}}"})

    [error] = findings.errors
    assert error.pointer == "/headersJson/authorization"
    assert "`auth`" in error.message


def test_a_token_url_without_encryption_is_noticed():
    _, findings = draft(OAUTH2 | {"tokenUrl": "http://id.example/token"})

    assert [each.pointer for each in findings.noticed] == ["/auth/tokenUrl"]


async def test_a_secret_that_is_not_there_is_named():
    names = SecretNames(a_world().stores.keychains)

    findings = await names.unknown("t1", EndpointPatch.model_validate({"auth": OAUTH2}))

    [error] = findings.errors
    assert error.pointer == "/auth"
    assert "'client'" in error.message


def test_the_audit_log_tells_which_secrets_and_nothing_that_may_be_one():
    endpoint, _ = draft(OAUTH2)

    told = str(masked(endpoint_document(endpoint)))

    assert "{{secret.client}}" in told
    assert "tenant=***" in told
    assert "'api'" not in told
