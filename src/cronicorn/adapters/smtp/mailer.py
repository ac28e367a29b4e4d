"""Sends mail over SMTP (RFC 5321), encrypted by TLS from the start or by STARTTLS (RFC 3207)."""

from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum

import aiosmtplib

from cronicorn.domain.alert.incident import Receipt
from cronicorn.domain.alert.ports import Email, Mailer
from cronicorn.domain.ports import Clock
from cronicorn.domain.sentence import as_sentence

_SECONDS_MAX = 20.0
"""For the whole of a mail."""
_PERMANENT = 500
"""Answers from this code on are for good (RFC 5321, 4.2.1)."""


class SmtpSecurity(StrEnum):
    """How a connection is encrypted."""

    TLS = "tls"
    STARTTLS = "starttls"
    """A server that does not offer it gets nothing."""
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Who takes our mail."""

    host: str
    port: int
    security: SmtpSecurity
    sender: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)


class SmtpMailer(Mailer):
    """Hands each mail over on a connection of its own."""

    def __init__(self, server: SmtpServer, clock: Clock) -> None:
        self._server = server
        self._clock = clock

    async def send(self, email: Email) -> Receipt:
        try:
            refused, _ = await aiosmtplib.send(
                self._message(email), hostname=self._server.host, port=self._server.port, timeout=_SECONDS_MAX,
                username=self._server.username, password=self._server.password,
                use_tls=self._server.security is SmtpSecurity.TLS,
                start_tls=self._server.security is SmtpSecurity.STARTTLS,
            )  # fmt: skip
        except aiosmtplib.SMTPRecipientsRefused as error:
            for_good = all(each.code >= _PERMANENT for each in error.recipients)
            return Receipt("The mail server refuses all recipients.", for_good)
        except aiosmtplib.SMTPResponseException as error:
            return Receipt(as_sentence(f"The mail server answered {error.code}: {error.message}"))
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            return Receipt(as_sentence(f"The mail server could not be used ({type(error).__name__}): {error}"))
        if refused:
            return Receipt(for_good=True, error=f"The mail server refuses {', '.join(sorted(refused))}; others got it.")
        return Receipt()

    def _message(self, email: Email) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._server.sender
        message["To"] = ", ".join(email.to)
        message["Subject"] = email.subject
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = f"<{email.id}@{self._server.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(email.text)
        return message
