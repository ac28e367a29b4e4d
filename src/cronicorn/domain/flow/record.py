"""What is remembered of the calls under one key. Pure; instants are microseconds since 1970."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from cronicorn.domain.cells import Row
from cronicorn.domain.fields import Fields, document_in, json_text

WAITING_MAX = 100
"""So many that wait for a place are remembered in their order; the others ask again by themselves."""


class FlowKey(NamedTuple):
    """What calls are counted under."""

    tenant_id: str
    """Empty: the calls of all tenants."""
    name: str

    @classmethod
    def of_key(cls, tenant_id: str, key: str) -> "FlowKey":
        """A key that a tenant chose."""
        return cls(tenant_id, f"key {key}")

    @classmethod
    def of_host(cls, tenant_id: str, host: str) -> "FlowKey":
        """A host: that a tenant calls, or (without one) that anybody does."""
        return cls(tenant_id, f"host {host}")


class Place(NamedTuple):
    """A call in progress."""

    claim_id: str
    endpoint_id: str
    until_us: int
    """It has ended by then, whatever became of its worker."""


class Waiting(NamedTuple):
    """An endpoint that waits for a place."""

    tenant_id: str
    endpoint_id: str
    until_us: int
    """It asks again by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRecord:
    """The calls under one key."""

    starts_us: tuple[int, ...] = ()
    """When the last calls began, oldest first."""
    tail_us: int = 0
    """The turn given to the last that came and had to wait."""
    again_us: int = 0
    """The same of those whose turn had come and that have to wait again, since calls began late."""
    spacing_us: int = 0
    """So far apart these turns are; 0 where none was given."""
    places: tuple[Place, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    """Longest first."""
    slowed_us: int = 0
    """The host is left alone until then."""
    slowings: int = 0
    """How often it has asked for that in a row."""
    kept_until_us: int = 0
    """From then on the record says nothing any more."""

    def left_by(self, claim_id: str) -> "FlowRecord":
        """The record once the call of this claim has ended."""
        return replace(self, places=tuple(place for place in self.places if place.claim_id != claim_id))

    def in_progress(self, now_us: int, besides: str = "") -> int:
        """How many calls are, *besides* one of this endpoint."""
        return sum(place.until_us > now_us and place.endpoint_id != besides for place in self.places)


BLANK = FlowRecord()


def flow_row(key: FlowKey, record: FlowRecord) -> Row:
    """The row of `flows`."""
    document = {
        "starts": list(record.starts_us),
        "tail": record.tail_us,
        "again": record.again_us,
        "spacing": record.spacing_us,
        "places": [list(place) for place in record.places],
        "waiting": [list(each) for each in record.waiting],
        "slowings": record.slowings,
    }
    return {
        "tenant_id": key.tenant_id,
        "name": key.name,
        "kept_until_us": record.kept_until_us,
        "slowed_us": record.slowed_us,
        "document": json_text(document),
    }


def flow_record_of(document: str, *, kept_until_us: int, slowed_us: int) -> FlowRecord:
    """The record in a row of `flows`. Raises one of UNREADABLE."""
    fields = Fields(document_in(document))
    return FlowRecord(
        starts_us=tuple(int(str(item)) for item in fields.items("starts")),
        tail_us=fields.number("tail"),
        again_us=fields.number("again"),
        spacing_us=fields.number("spacing", 0),
        places=tuple(_place(item) for item in fields.items("places")),
        waiting=tuple(_waiting(item) for item in fields.items("waiting")),
        slowings=fields.number("slowings"),
        slowed_us=slowed_us,
        kept_until_us=kept_until_us,
    )


def _place(item: object) -> Place:
    match item:
        case [str(claim_id), str(endpoint_id), int(until_us)]:
            return Place(claim_id, endpoint_id, until_us)
        case _:
            raise ValueError(f"not a call in progress: {item!r}")


def _waiting(item: object) -> Waiting:
    match item:
        case [str(tenant_id), str(endpoint_id), int(until_us)]:
            return Waiting(tenant_id, endpoint_id, until_us)
        case _:
            raise ValueError(f"not an endpoint that waits: {item!r}")
