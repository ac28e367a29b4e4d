"""Which bodies of answers are kept with their runs. Steering has read them before, whatever is kept. Pure."""

from dataclasses import replace
from hashlib import blake2b

from cronicorn.domain.endpoint import JobEndpoint, KeepBodies
from cronicorn.domain.run import Run, RunStatus

_HASH_BYTES = 12


def as_kept(endpoint: JobEndpoint, run: Run) -> Run:
    """*run* as it is recorded: without its body where its owner does not want that, and saying so."""
    body = run.outcome.body
    if endpoint.keep_bodies is KeepBodies.ALL or body is None or _is_kept(endpoint, run, body):
        return run
    return replace(run, outcome=run.outcome._replace(body=None, body_is_json=False, body_left_out=True))


def body_mark(endpoint: JobEndpoint, run: Run | None) -> str | None:
    """What the state remembers of the last body, once *run* is recorded, to see the next change by."""
    if endpoint.keep_bodies is not KeepBodies.ON_CHANGE:
        return None
    body = run.outcome.body if run is not None else None
    return endpoint.state.body_mark if body is None else _mark(body)


def _is_kept(endpoint: JobEndpoint, run: Run, body: str) -> bool:
    match endpoint.keep_bodies:
        case KeepBodies.FAILURES:
            return run.status is RunStatus.FAILED
        case KeepBodies.ON_CHANGE:
            return _mark(body) != endpoint.state.body_mark
        case _:
            return False


def _mark(body: str) -> str:
    return blake2b(body.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES).hexdigest()
