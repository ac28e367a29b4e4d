"""Mail goes to a server that proves who it is, over TLS, and to no other."""

import asyncio
import ssl
from dataclasses import replace

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from cronicorn.adapters.smtp.mailer import SmtpMailer, SmtpSecurity, SmtpServer
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.domain.alert.ports import Email
from tests.servers.process import free_port
from tests.wiring.alert_receivers import mail_server

MAIL = Email(id="alert_1", to=("ada@example.com", "ben@example.com"), subject="Überfällig", text="It is late.\n.\nBye")


@pytest.fixture
def trusted(tmp_path, monkeypatch):
    """A server that the machine trusts."""
    with mail_server(tmp_path) as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.ca_file))
        yield running


def _server(port, **changes):
    known = SmtpServer(
        host="127.0.0.1", port=port, security=SmtpSecurity.STARTTLS, sender="cronicorn@example.com",
        username="us er", password="p@ss",
    )  # fmt: skip
    return replace(known, **changes)


async def _sent(server):
    return await SmtpMailer(server, SystemClock()).send(MAIL)


async def test_a_mail_arrives_as_it_was_written_with_the_same_id_each_time(trusted):
    receipts = [await _sent(_server(trusted.port)) for _ in range(2)]

    first, second = (mail for _, mail in trusted.mails)
    assert [each.error for each in receipts] == [None, None]
    assert trusted.mails[0][0] == ["ada@example.com", "ben@example.com"]
    assert first["Message-ID"] == second["Message-ID"] == "<alert_1@example.com>"
    assert first["Auto-Submitted"] == "auto-generated"
    assert first.get_payload(decode=True).decode().splitlines() == ["It is late.", ".", "Bye"]


async def test_whoever_does_not_know_the_password_sends_nothing(trusted):
    receipt = await _sent(_server(trusted.port, password="wrong"))

    assert receipt.error is not None
    assert receipt.error.startswith("The mail server answered 535: ")
    assert not receipt.for_good
    assert trusted.mails == []


async def test_a_server_that_nobody_vouches_for_gets_nothing(tmp_path):
    with mail_server(tmp_path) as stranger:
        receipt = await _sent(_server(stranger.port))

    assert receipt.error is not None
    assert "certificate" in receipt.error
    assert stranger.mails == []


@pytest.mark.parametrize(("security", "arrives"), [(SmtpSecurity.STARTTLS, False), (SmtpSecurity.NONE, True)])
async def test_a_server_without_tls_gets_only_what_may_be_read_by_all(security, arrives):
    class Plain:
        mails = 0

        async def handle_DATA(self, _server, _session, _envelope):  # noqa: N802
            self.mails += 1
            return "250 taken"

    plain = Plain()
    controller = Controller(plain, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        receipt = await _sent(_server(controller.port, security=security, username=None, password=None))
    finally:
        controller.stop()

    assert (receipt.error is None, plain.mails) == (arrives, int(arrives))


async def test_tls_from_the_start_is_spoken_where_it_is_asked_for(trusted):
    class Taking:
        async def handle_DATA(self, _server, session, _envelope):  # noqa: N802
            return "250 taken" if session.peer else "550 no"

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted.ca_file, trusted.ca_file.with_suffix(".key"))
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: SMTP(Taking(), loop=loop), "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        receipt = await _sent(_server(port, security=SmtpSecurity.TLS, username=None, password=None))

    assert receipt.error is None


async def test_a_server_that_refuses_everybody_ends_the_attempts():
    class Refusing:
        async def handle_RCPT(self, _server, _session, _envelope, _address, _options):  # noqa: N802
            return "550 nobody here"

    controller = Controller(Refusing(), hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        receipt = await _sent(_server(controller.port, security=SmtpSecurity.NONE, username=None, password=None))
    finally:
        controller.stop()

    assert receipt.for_good
