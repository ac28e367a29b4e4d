"""Delivers messages about incidents: claims them from the outbox, sends and settles them, in every process.

A message whose sender was killed is sent again with the same id once its claim has run out. A receiver that is dead
holds one of the places for as long as an attempt may take; messages to others go beside it.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from cronicorn.domain.alert.alerting import AlertChannel, AlertRoute
from cronicorn.domain.alert.incident import AlertEvent, AlertMessage, MessageState, Receipt
from cronicorn.domain.alert.ports import AlertingBook, Email, Mailer, Outbox
from cronicorn.domain.alert.targets import url_of
from cronicorn.domain.alert.wording import headline, in_words
from cronicorn.domain.call import Call, Method, Outcome, OutcomeKind
from cronicorn.domain.errors import LeaseLostError, NotFoundError, UnavailableError
from cronicorn.domain.fields import Document, json_text
from cronicorn.domain.keychain.ports import Vault
from cronicorn.domain.outgoing import ID_HEADER, USER_AGENT
from cronicorn.domain.ports import Clock, Dispatcher

log = logging.getLogger(__name__)

PARALLEL = 20
"""So many messages are sent at once, each to another route."""
CALL_MAX = timedelta(seconds=10)
"""For the call of a webhook; whoever takes longer has not taken the message."""
ATTEMPT_MAX = timedelta(seconds=20)
"""For a whole attempt, whatever the channel."""
CLAIM_TTL = timedelta(minutes=1)
"""Longer than an attempt and its settlement."""
_ANSWER_BYTES_MAX = 1_024
_GONE = 410
"""Says that there will be no receiver any more (Standard Webhooks)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierPorts:
    """What a courier reads, writes and sends with."""

    outbox: Outbox
    book: AlertingBook
    dispatcher: Dispatcher
    vault: Vault
    """Opens the URLs of routes."""
    mailer: Mailer | None
    """None where no mail server is configured."""
    clock: Clock
    new_id: Callable[[str], str]
    settled: Callable[[MessageState, AlertChannel | None], None]
    """Is told what became of attempts: a message that waits failed. The channel is None of a route that is gone."""


class Courier:
    """Sends what waits, beside the scheduler and never in its way."""

    def __init__(self, ports: CourierPorts, poll: timedelta) -> None:
        self._ports = ports
        self._poll = poll
        self._woken = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Look at once: something waits."""
        self._woken.set()

    async def run(self) -> None:
        """Send until cancelled. What is being sent then is sent again once its claim has run out."""
        try:
            while True:
                self._woken.clear()
                claimed = await self._claimed(PARALLEL - len(self._sending))
                for message in claimed:
                    self._send(message)
                if not claimed:
                    await self._rest()
                elif len(self._sending) >= PARALLEL:
                    await asyncio.wait(self._sending, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in self._sending:
                task.cancel()
            await asyncio.gather(*self._sending, return_exceptions=True)

    async def deliver(self, message: AlertMessage) -> None:
        """Make one attempt at a claimed *message* and record it. Raises nothing for what may go wrong."""
        try:
            route, receipt = await self._attempted(message)
            settled = message.after(receipt, self._ports.clock.now())
            await self._ports.outbox.settle(settled)
        except LeaseLostError:
            log.warning("alert_lost", extra=message.facts())
        except UnavailableError as error:
            log.warning("alert_not_recorded", extra={**message.facts(), "reason": str(error)})
        except Exception:  # A bug met in one message must not end the delivering.
            log.exception("alert_crashed", extra=message.facts())
        else:
            self._ports.settled(settled.state, route.channel if route is not None else None)
            _tell(settled)

    def _send(self, message: AlertMessage) -> None:
        task = asyncio.create_task(self.deliver(message), name=message.id)
        self._sending.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self.wake()

    async def _claimed(self, room: int) -> Sequence[AlertMessage]:
        claim_id = self._ports.new_id("claim")
        try:
            return await self._ports.outbox.claim_due(claim_id=claim_id, limit=room, ttl=CLAIM_TTL)
        except UnavailableError as error:
            log.warning("alerts_not_claimed", extra={"reason": str(error)})
        except Exception:
            log.exception("alerts_claim_crashed")
        return ()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self._poll.total_seconds()):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _attempted(self, message: AlertMessage) -> tuple[AlertRoute | None, Receipt]:
        try:
            route = (await self._ports.book.get(message.tenant_id)).route(message.route_id)
        except NotFoundError:
            return None, Receipt("The route was removed.", for_good=True)
        if not route.enabled and message.event is not AlertEvent.TEST:
            return route, Receipt("The route was switched off.", for_good=True)
        try:
            async with asyncio.timeout(ATTEMPT_MAX.total_seconds()):
                return route, await self._sent(message, route)
        except TimeoutError:
            return route, Receipt("The attempt took too long.")
        except UnavailableError as error:
            return route, Receipt(str(error))

    async def _sent(self, message: AlertMessage, route: AlertRoute) -> Receipt:
        match route.channel:
            case AlertChannel.WEBHOOK:
                return await self._posted(message, route, message.body)
            case AlertChannel.SLACK:
                text = f"*{_escaped(headline(message))}*\n{_escaped(in_words(message))}"
                return await self._posted(message, route, {"text": text})
            case AlertChannel.EMAIL:
                if self._ports.mailer is None:
                    return Receipt("No mail server is configured: set CRONICORN_SMTP_URL and CRONICORN_SMTP_FROM.")
                to = tuple(address.strip() for address in route.target.split(","))
                email = Email(id=message.id, to=to, subject=headline(message), text=in_words(message))
                return await self._ports.mailer.send(email)

    async def _posted(self, message: AlertMessage, route: AlertRoute, body: Document) -> Receipt:
        url = url_of(route, message.tenant_id, self._ports.vault)
        return _receipt(await self._ports.dispatcher.dispatch(_call(message, url, body)))


def _call(message: AlertMessage, url: str, body: Document) -> Call:
    """The call that takes *message* to the *url* of its route: guarded and signed as calls of endpoints are."""
    return Call(
        tenant_id=message.tenant_id,
        url=url,
        method=Method.POST,
        headers={"Content-Type": "application/json", "User-Agent": USER_AGENT, ID_HEADER: message.id},
        body=json_text(body).encode(),
        timeout=CALL_MAX,
        response_bytes_max=_ANSWER_BYTES_MAX,
    )


def _receipt(outcome: Outcome) -> Receipt:
    if outcome.kind is not OutcomeKind.RESPONDED or outcome.status_code is None:
        return Receipt(outcome.error or f"The call ended as {outcome.kind.value}.")
    if outcome.status_code // 100 == 2:  # noqa: PLR2004 - a class of statuses
        return Receipt()
    return Receipt(f"The receiver answered {outcome.status_code}.", for_good=outcome.status_code == _GONE)


def _escaped(text: str) -> str:
    """*text* for Slack, where three characters mean something."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _tell(message: AlertMessage) -> None:
    facts = message.facts()
    match message.state:
        case MessageState.DELIVERED:
            log.info("alert_delivered", extra=facts)
        case MessageState.WAITING:
            log.warning("alert_delayed", extra={**facts, "reason": message.error})
        case MessageState.UNDELIVERED:
            log.error("alert_undelivered", extra={**facts, "reason": message.error})
