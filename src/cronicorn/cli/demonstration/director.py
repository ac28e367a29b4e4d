"""Telling the story: does what a person does, and has everything watched until the end."""

import time
from collections.abc import Mapping
from datetime import timedelta

from cronicorn.cli.demonstration.board import Board, Happening, Voice
from cronicorn.cli.demonstration.rest import Rest
from cronicorn.cli.demonstration.story import Deed, Phase, Story
from cronicorn.cli.demonstration.view import View
from cronicorn.cli.demonstration.watching import Watcher

_LOOK_EVERY_S = 0.2
_LOOKS_BETWEEN_CHECKS = 10
_HEADLINES: Mapping[Phase, str] = {
    Phase.CALM: "The shop is open. A quiet morning.",
    Phase.FLASH_SALE: "A flash sale begins: orders pour in.",
    Phase.FAILING: "The shop answers 500, or 503 with Retry-After.",
    Phase.RECOVERED: "The shop has recovered.",
}


class Director:
    """One telling of the story, from the opening to the end."""

    def __init__(self, story: Story, rest: Rest, watcher: Watcher, view: View, board: Board) -> None:
        self._story = story
        self._rest = rest
        self._watcher = watcher
        self._view = view
        self._board = board
        self._done: list[Deed] = []

    def play(self) -> None:
        """Tell the story; it begins now."""
        looks = 0
        self._board.tick()
        while self._board.elapsed < self._story.seconds:
            self._turn_the_page()
            self._watcher.look()
            self._act()
            if looks % _LOOKS_BETWEEN_CHECKS == 0:
                self._watcher.check_overdue()
            looks += 1
            self._view.refresh(self._board)
            time.sleep(_LOOK_EVERY_S)
            self._board.tick()
        self._watcher.look()
        self._view.refresh(self._board)
        self._watcher.check_overdue()
        self._watcher.read_skips()

    def _turn_the_page(self) -> None:
        phase = self._story.phase(self._board.elapsed)
        if phase != self._board.phase:
            self._board.phase = phase
            self._note(self._story.starts_at(phase), Voice.SHOP, f"[{phase.value}] {_HEADLINES[phase]}")

    def _act(self) -> None:
        self._board.tick()
        for deed in self._story.deeds_until(self._board.elapsed):
            if deed not in self._done:
                self._done.append(deed)
                self._note(self._board.elapsed, Voice.PERSON, f"A person {self._do(deed)}")

    def _note(self, at_s: float, voice: Voice, text: str) -> None:
        self._view.note(self._board, Happening(at_s=at_s, voice=voice, text=text, phase=self._board.phase))

    def _do(self, deed: Deed) -> str:
        match deed:
            case Deed.RUN_REPORT:
                self._post("report", "run")
                return "asks for the report, now."
            case Deed.HINT_STOCK:
                hint = {"intervalMs": 1_000, "ttlMinutes": 60, "reason": "flash sale: watch the stock"}
                self._post("stock", "hints/interval", hint)
                return "hints: look at the stock every second while the sale is on."
            case Deed.PAUSE_NEWSLETTER:
                until = self._board.opened_at + timedelta(seconds=self._story.seconds)
                self._post("newsletter", "pause", {"pausedUntil": until.isoformat(), "reason": "spare the shop"})
                return "pauses the newsletter, to spare the shop."
            case Deed.RESUME_NEWSLETTER:
                self._post("newsletter", "pause", {"pausedUntil": None})
                return "resumes the newsletter."
            case Deed.CLEAR_STOCK:
                self._rest.delete(f"/api/endpoints/{self._board.rows['stock'].id}/hints")
                return "clears the hint: the sale ends, the baseline is back."
            case Deed.RESET_STOCK:
                self._post("stock", "reset-failures")
                return "forgives the stock its failures: no backoff any more."

    def _post(self, name: str, action: str, body: Mapping[str, object] | None = None) -> None:
        self._rest.post(f"/api/endpoints/{self._board.rows[name].id}/{action}", body)
