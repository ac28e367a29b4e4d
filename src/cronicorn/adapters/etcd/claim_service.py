"""The claims of an installation in one etcd."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from hashlib import blake2b
from math import ceil
from typing import Self

import grpc  # type: ignore[import-untyped]
from aetcd import rpc  # type: ignore[import-untyped]

from cronicorn.adapters.etcd.connection import answered, answers, channel_to, translated
from cronicorn.domain.claims import Claim
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.ports import ClaimService

TIMEOUT_DEFAULT = timedelta(seconds=2)
_SECOND = timedelta(seconds=1)
_GONE = grpc.StatusCode.NOT_FOUND
_TAKEN = grpc.StatusCode.FAILED_PRECONDITION


class EtcdClaimService(ClaimService):
    """Keeps each claim as a key under a lease of its own, whose id follows from the claim.

    A token is the revision that wrote the key. etcd counts leases in whole seconds and grants none shorter than one and
    a half election timeouts, so a dead claimant's key may stay that much longer than asked for.
    """

    def __init__(self, channel: grpc.Channel, prefix: str, timeout: timedelta) -> None:
        self._channel = channel
        self._prefix = f"/{prefix}/claims/"
        self._timeout_s = timeout.total_seconds()
        self._keys = rpc.KVStub(channel)
        self._leases = rpc.LeaseStub(channel)

    @classmethod
    def open(cls, url: str, *, prefix: str, timeout: timedelta = TIMEOUT_DEFAULT) -> Self:
        """The claims under *prefix*, which differs between installations, in the etcd at an `http://` URL.

        Connects when first asked. Raises InvalidInputError for another URL.
        """
        return cls(channel_to(url, timeout), prefix, timeout)

    async def acquire(self, claims: Sequence[Claim], *, ttl: timedelta) -> Mapping[str, int]:
        await answered(self._grants(claims, ttl), but=_TAKEN)
        tokens = _tokens(claims, await answered(self._puts(claims), but=_GONE))
        with suppress(UnavailableError):  # The leases of those that took nothing expire.
            await self.release([claim for claim in claims if claim.claim_id not in tokens])
        return tokens

    def renew(self, claims: Sequence[Claim], *, ttl: timedelta) -> frozenset[str]:
        if not claims:
            return frozenset()
        requests = iter([rpc.LeaseKeepAliveRequest(ID=self._lease_id(claim)) for claim in claims])
        try:
            replies = list(self._leases.LeaseKeepAlive(requests, timeout=self._timeout_s))
        except grpc.RpcError as error:
            raise translated(error) from error
        alive = {reply.ID for reply in replies if reply.TTL > 0}
        return frozenset(claim.claim_id for claim in claims if self._lease_id(claim) in alive)

    def revive(self, claims: Sequence[Claim], *, ttl: timedelta) -> frozenset[str]:
        answers(self._grants(claims, ttl), but=_TAKEN)
        tokens = _tokens(claims, answers(self._puts(claims), but=_GONE))
        with suppress(UnavailableError):
            answers(self._revocations([claim for claim in claims if claim.claim_id not in tokens]), but=_GONE)
        return frozenset(tokens)

    async def release(self, claims: Sequence[Claim]) -> None:
        await answered(self._revocations(claims), but=_GONE)

    async def aclose(self) -> None:
        self._channel.close()

    def _key(self, claim: Claim) -> bytes:
        return f"{self._prefix}{claim.key}".encode()

    def _lease_id(self, claim: Claim) -> int:
        """A positive number of 64 bits; leases are named for the whole of an etcd, so the prefix counts."""
        digest = blake2b(self._key(claim) + b"\n" + claim.claim_id.encode(), digest_size=8).digest()
        return int.from_bytes(digest) >> 1 or 1

    def _grants(self, claims: Sequence[Claim], ttl: timedelta) -> list[grpc.Future]:
        """A lease for each of *claims*; there is one already when the same claim asks again."""
        seconds = ceil(ttl / _SECOND)
        requests = [rpc.LeaseGrantRequest(ID=self._lease_id(claim), TTL=seconds) for claim in claims]
        return [self._leases.LeaseGrant.future(request, timeout=self._timeout_s) for request in requests]

    def _puts(self, claims: Sequence[Claim]) -> list[grpc.Future]:
        return [self._keys.Txn.future(self._put_if_free(claim), timeout=self._timeout_s) for claim in claims]

    def _revocations(self, claims: Sequence[Claim]) -> list[grpc.Future]:
        """The end of leases, and with them of what was put under them."""
        requests = [rpc.LeaseRevokeRequest(ID=self._lease_id(claim)) for claim in claims]
        return [self._leases.LeaseRevoke.future(request, timeout=self._timeout_s) for request in requests]

    def _put_if_free(self, claim: Claim) -> rpc.TxnRequest:
        key = self._key(claim)
        put = rpc.PutRequest(key=key, value=claim.claim_id.encode(), lease=self._lease_id(claim))
        return rpc.TxnRequest(
            compare=[rpc.Compare(key=key, target=rpc.Compare.CREATE, result=rpc.Compare.EQUAL, create_revision=0)],
            success=[rpc.RequestOp(request_put=put)],
            failure=[rpc.RequestOp(request_range=rpc.RangeRequest(key=key))],
        )


def _tokens(claims: Sequence[Claim], replies: Sequence[rpc.TxnResponse]) -> dict[str, int]:
    tokens = ((claim.claim_id, _token(claim, answer)) for claim, answer in zip(claims, replies, strict=True))
    return {claim_id: token for claim_id, token in tokens if token is not None}


def _token(claim: Claim, answer: rpc.TxnResponse) -> int | None:
    """The revision that wrote the claim; None when it is another's, or its lease has expired meanwhile."""
    if answer is None:
        return None
    if answer.succeeded:
        return int(answer.header.revision)
    found = [pair for part in answer.responses for pair in part.response_range.kvs]
    return next((int(pair.mod_revision) for pair in found if pair.value == claim.claim_id.encode()), None)
