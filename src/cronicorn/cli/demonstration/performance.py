"""One performance: the processes, the story, the summary."""

import secrets
from collections.abc import Callable
from datetime import datetime
from http.client import HTTPException

from rich.console import Console

from cronicorn.cli.demonstration.board import Board, Row
from cronicorn.cli.demonstration.cast import parts
from cronicorn.cli.demonstration.director import Director
from cronicorn.cli.demonstration.processes import NotStartedError, RunningShop, a_scheduler, a_shop
from cronicorn.cli.demonstration.rest import Rest, RestError
from cronicorn.cli.demonstration.story import Story
from cronicorn.cli.demonstration.summary import show_summary
from cronicorn.cli.demonstration.view import View, opened_view
from cronicorn.cli.demonstration.watching import Watcher
from cronicorn.domain.errors import UnavailableError

_INTERRUPTED = 130


def perform(story: Story, console: Console, now: Callable[[], datetime], *, live: bool) -> int:
    """Tell *story* on *console* and answer the exit code. Raises UnavailableError when a part does not work.

    Nothing it started runs on, and no file is left, however it ends.
    """
    try:
        with a_shop(story) as shop, a_scheduler(secrets.token_urlsafe(16)) as rest:
            console.print(f"The shop: {shop.url}. Cronicorn: {rest.url}.", soft_wrap=not console.is_terminal)
            with opened_view(console, now, live=live) as view:
                board = play(story, shop, rest, view, now())
    except KeyboardInterrupt:
        console.print("Stopped.")
        return _INTERRUPTED
    except (NotStartedError, RestError) as error:
        raise UnavailableError(str(error)) from error
    except (OSError, HTTPException) as error:
        raise UnavailableError(f"A part of the demonstration ended too early: {error!r}") from error
    show_summary(board, console)
    return 0 if board.overdue_max == 0 else 1


def play(story: Story, shop: RunningShop, rest: Rest, view: View, opened_at: datetime) -> Board:
    """Open the *shop*, have it called, and do what a person does in *story* until that ends; answer what was seen."""
    board = Board(opened_at=opened_at, seconds=story.seconds)
    shop.open()
    job_id = rest.post("/api/jobs", {"name": "shop", "description": "What a shop has called."})["id"]
    for part in parts(story, shop.url, opened_at):
        endpoint_id = rest.post(f"/api/jobs/{job_id}/endpoints", part.document)["id"]
        board.rows[part.name] = Row(endpoint_id, part.name, part.schedule)
    Director(story, rest, Watcher(rest, job_id, board, view), view, board).play()
    return board
