"""What a driver says is passed on with one full stop at the end."""

from datetime import timedelta

import pytest

from cronicorn.adapters.etcd.claim_service import EtcdClaimService
from cronicorn.adapters.redis.claim_service import RedisClaimService
from cronicorn.domain.claims import Claim
from cronicorn.domain.errors import UnavailableError

CLAIM = Claim(key="endpoint", claim_id="claim")


@pytest.mark.parametrize(
    ("service", "url"), [(RedisClaimService, "redis://127.0.0.1:1"), (EtcdClaimService, "http://127.0.0.1:1")]
)
async def test_a_service_that_refuses_is_told_in_a_sentence(service, url):
    opened = service.open(url, prefix="test/")
    try:
        with pytest.raises(UnavailableError) as refused:
            await opened.acquire([CLAIM], ttl=timedelta(seconds=5))
    finally:
        await opened.aclose()

    assert str(refused.value).endswith(".")
    assert not str(refused.value).endswith("..")
