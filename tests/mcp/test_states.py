"""What a client hands back with a person's answer opens wherever the master key is, and nowhere else."""

import pytest
from mcp.server.mcpserver import InvalidRequestState

from cronicorn.adapters.vault.aes_vault import AesVault
from cronicorn.adapters.vault.master_keys import PassingKey
from cronicorn.mcp.states import SealedStates, states_of_this_process

PAYLOAD = b'{"approve": true}'


def a_vault(source: PassingKey) -> AesVault:
    vault = AesVault(source)
    if not vault.ready:
        vault.make_key()
    return vault


def test_what_one_process_sealed_another_opens():
    source = PassingKey()
    one, other = SealedStates(a_vault(source)), SealedStates(AesVault(source))

    assert other.unseal(one.seal(PAYLOAD)) == PAYLOAD
    assert PAYLOAD.decode() not in one.seal(PAYLOAD)


@pytest.mark.parametrize(
    "changed",
    [
        lambda token: "",
        lambda token: "v1.x.y.z",
        lambda token: token[:-6] + ("A" if token[-6] != "A" else "B") + token[-5:],
        lambda token: token + "AAAA",
        lambda token: "\ud800" + token,
        lambda token: SealedStates(a_vault(PassingKey())).seal(PAYLOAD),
    ],
)
def test_what_was_made_up_changed_or_sealed_elsewhere_is_refused(changed):
    states = SealedStates(a_vault(PassingKey()))

    with pytest.raises(InvalidRequestState):
        states.unseal(changed(states.seal(PAYLOAD)))


def test_a_secret_of_the_store_is_no_state():
    vault = a_vault(PassingKey())

    with pytest.raises(InvalidRequestState):
        SealedStates(vault).unseal(vault.seal(PAYLOAD, "secret t1 token"))


def test_without_a_master_key_a_process_opens_its_own_only():
    one, other = states_of_this_process(), states_of_this_process()

    assert one.unseal(one.seal(PAYLOAD)) == PAYLOAD
    with pytest.raises(InvalidRequestState):
        other.unseal(one.seal(PAYLOAD))
