"""The demo's mail server: `python -m guichet.demo.catching PORT DIRECTORY` keeps what it is sent.

It listens on 127.0.0.1 alone, asks for no password, and passes nothing on to anybody.
"""

import asyncio
import signal
import socket
import sys
from functools import partial
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from guichet.demo.home import Home
from guichet.demo.mailbox import Mailbox
from guichet.embedded.programs import Program

#: Far more than a mail of ours has.
_MOST_BYTES = 2_000_000
_IDLE_SECONDS = 60


class Catcher:
    """Keeps each mail before its server says that it was taken."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd names it.
        content = envelope.original_content or b""
        await asyncio.to_thread(self._mailbox.store, content)
        return "250 kept"


def mail_catcher(home: Home, port: int) -> Program:
    """The server on 127.0.0.1, not yet started."""
    return Program(
        "mail catcher",
        [sys.executable, "-m", "guichet.demo.catching", str(port), str(home.mail)],
        record=home.records / "mail.pid",
        log=home.logs / "mail.log",
        stop_seconds=3,
    )


def listens(port: int) -> bool:
    """Whether somebody listens at this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def catch_mails(port: int, mailbox: Mailbox) -> None:
    """Serve until SIGTERM."""
    loop = asyncio.get_running_loop()
    asked_to_stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, asked_to_stop.set)
    session = partial(
        SMTP,
        Catcher(mailbox),
        hostname="localhost",
        ident="Guichet demo",
        data_size_limit=_MOST_BYTES,
        enable_SMTPUTF8=True,
        timeout=_IDLE_SECONDS,
        loop=loop,
    )
    server = await loop.create_server(session, "127.0.0.1", port)
    async with server:
        await asked_to_stop.wait()


if __name__ == "__main__":
    asyncio.run(catch_mails(int(sys.argv[1]), Mailbox(Path(sys.argv[2]))))
