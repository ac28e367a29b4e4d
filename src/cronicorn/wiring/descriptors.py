"""Room for sockets: every call in progress and every kept connection takes a file descriptor."""

import resource

WANTED = 65_536
_CLIENTS_MAX = 1_000
_CLIENTS_SHARE = 4
"""Clients get one descriptor in so many."""
_OWN = 32
"""What a process needs besides: streams, event loops, name look-ups, listening, a store's files."""


def raise_descriptor_limit() -> int:
    """Raise this process's soft limit on open files as far as its hard limit allows, at most to WANTED; answer it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= WANTED:
        return soft
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def descriptor_limit() -> int:
    """How many files this process may have open, WANTED where there is no limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return WANTED if soft in {resource.RLIM_INFINITY, -1} else soft


def clients_max() -> int:
    """How many clients of the API may be connected to this process."""
    return max(1, min(_CLIENTS_MAX, descriptor_limit() // _CLIENTS_SHARE))


def descriptors_for_calls(connections: int) -> int:
    """How many descriptors calls may take, so that there is room for so many *connections* to a store whatever happens.

    A process that can't reach its store for want of a descriptor can't give back what it holds.
    """
    return max(2, descriptor_limit() - clients_max() - connections - _OWN)
