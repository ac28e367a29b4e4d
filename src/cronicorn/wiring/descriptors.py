"""Room for sockets: every call in progress and every kept connection takes a file descriptor."""

import resource

WANTED = 65_536


def raise_descriptor_limit() -> int:
    """Raise this process's soft limit on open files as far as its hard limit allows, at most to WANTED; answer it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= WANTED:
        return soft
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
