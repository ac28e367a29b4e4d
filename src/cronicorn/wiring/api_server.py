"""The HTTP server in front of the API: uvicorn, bounded."""

import asyncio
import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any, cast

import uvicorn

from cronicorn.wiring.patience import Patience, PatientProtocol, Refusals

HEAD_BYTES_MAX = 65_536
"""Of a request line and its headers, give or take what the socket hands over at once."""


class ApiServer(uvicorn.Server):
    """uvicorn without a say in signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def api_server(app: Any, *, grace: timedelta, patience: Patience | None = None) -> ApiServer:
    """A server of *app* that, when stopped, lets requests in progress finish within *grace*."""
    patience = patience or Patience.for_this_process()
    # Strangers could fill the log with its warnings of malformed requests; its errors stay.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    return ApiServer(
        uvicorn.Config(
            app,
            access_log=False,
            h11_max_incomplete_event_size=HEAD_BYTES_MAX,
            http=cast("type[asyncio.Protocol]", partial(PatientProtocol, patience=patience, refusals=Refusals())),
            lifespan="off",
            limit_concurrency=None,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=max(1, math.ceil(grace.total_seconds())),
            timeout_keep_alive=math.ceil(patience.idle_s),
            ws="none",
        )
    )
