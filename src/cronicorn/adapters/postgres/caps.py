"""How many calls may be in progress at once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """Limits over all workers together; None is no limit. A limit makes claims wait for one another."""

    per_tenant: int | None = None
    per_host: int | None = None

    def __post_init__(self) -> None:
        assert all(cap is None or cap > 0 for cap in (self.per_tenant, self.per_host))

    @property
    def none(self) -> bool:
        """Whether nothing is limited."""
        return self.per_tenant is None and self.per_host is None
