"""Words of others end in one full stop, however they come."""

import pytest

from cronicorn.domain.sentence import as_sentence


@pytest.mark.parametrize("text", ["refused", "refused.", "refused..", "refused. \n"])
def test_a_sentence_ends_in_one_full_stop(text: str) -> None:
    assert as_sentence(text) == "refused."
