"""What calls may take from this process."""

import resource
from dataclasses import dataclass

_DESCRIPTORS_WHEN_UNLIMITED = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatcherLimits:
    """Seconds and numbers that hold for every call, whatever it asks for."""

    connect_s: float = 10.0
    """For one address, name look-up not included, TLS handshake included."""
    stall_s: float = 60.0
    """Longest silence in the middle of an answer."""
    header_bytes: int = 64 * 1_024
    """Of all header blocks of one answer together, interim ones included; 32 are added per line."""
    addresses_tried: int = 4
    """Of one name, each only when the one before could not be connected."""
    calls: int = 1_024
    """At once; further ones wait, and their clock does not run meanwhile."""
    connections: int = 2_048
    """Idle or in use. Where there are more, a connection is closed after its call; so at most *calls* come on top."""

    @classmethod
    def for_this_process(cls) -> "DispatcherLimits":
        """Limits that leave a third of the process's file descriptors to others."""
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        unlimited = soft in {resource.RLIM_INFINITY, -1}
        return cls.within((_DESCRIPTORS_WHEN_UNLIMITED if unlimited else soft) * 2 // 3)

    @classmethod
    def within(cls, descriptors: int) -> "DispatcherLimits":
        """Limits under which no more than so many *descriptors* are open for calls, and at least one call is made."""
        calls = max(1, descriptors // 2)
        return cls(calls=calls, connections=max(1, descriptors - calls))
