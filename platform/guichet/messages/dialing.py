"""Connections to mail servers: where they may lead, and what was said on them.

A merchant's server is an address that somebody outside of the deployment chose, so it must be on
the public internet, and what was checked is what is connected to: the name is looked up once.
"""

import asyncio
import contextlib
import ipaddress
import re
import socket
import ssl
from collections.abc import AsyncIterator, Sequence

import aiosmtplib
import msgspec

from guichet.mail_servers import MailServer

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class Patience(msgspec.Struct, frozen=True):
    """How many seconds each step may take. RFC 5321 section 4.5.3.2 would wait for minutes."""

    connect: float = 10.0
    command: float = 15.0
    #: From the end of the body to the server's word; below `claiming.SENDING_LEASE`.
    body: float = 60.0
    #: Name, connection, TLS and login together.
    opening: float = 30.0
    goodbye: float = 2.0


class ServerAway(Exception):
    """The server cannot be used at the moment, whatever mail it is for. `reason` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(Exception):
    """The server does not take this mail: for now (4xx) or ever (5xx)."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code

    @property
    def for_now(self) -> bool:
        return self.code < 500

    @property
    def ends_connection(self) -> bool:
        """RFC 5321 section 3.8: with 421 the server closes."""
        return self.code == 421


class ConnectionLost(Exception):
    """The connection ended before the body was given: the mail is certain not to be delivered."""


class OutcomeUnknown(Exception):
    """The body was given, and no word came back that could be understood."""


class Line:
    """One open connection, on which mails are handed over one after another."""

    def __init__(self, smtp: aiosmtplib.SMTP, patience: Patience) -> None:
        self._smtp = smtp
        self._patience = patience

    @property
    def is_open(self) -> bool:
        return self._smtp.is_connected

    async def offer(self, sender: str, recipient: str) -> None:
        """Have the server say that it waits for the body. Both addresses are plain ones.

        Raises `Refused` or `ConnectionLost`.
        """
        await self._command(b"MAIL FROM:<%s>" % sender.encode("ascii"), 200)
        await self._command(b"RCPT TO:<%s>" % recipient.encode("ascii"), 200)
        await self._command(b"DATA", 300)

    async def give(self, content: bytes) -> None:
        """Give the body that was waited for; the mail is accepted when this returns.

        Raises `Refused`, `ConnectionLost` where nothing was given, or `OutcomeUnknown`.
        """
        protocol = self._smtp.protocol
        if protocol is None or not protocol.is_connected:
            raise ConnectionLost
        # RFC 5321 section 4.5.2: a dot that begins a line is doubled, one alone ends the body.
        protocol.write(re.sub(rb"(?m)^\.", b"..", content) + b".\r\n")
        try:
            code = (await protocol.read_response(timeout=self._patience.body)).code
        except (aiosmtplib.SMTPException, OSError) as error:
            self._smtp.close()
            raise OutcomeUnknown from error
        if 200 <= code < 300:
            return
        if 400 <= code < 600:
            raise Refused(code)
        self._smtp.close()
        raise OutcomeUnknown

    async def begin_anew(self) -> None:
        """Have the server forget a mail that it refused; a line on which that fails is closed."""
        try:
            await self._command(b"RSET", 200)
        except (Refused, ConnectionLost):
            self._smtp.close()

    def close(self) -> None:
        """End the connection at once; a body that was begun is thrown away by the server."""
        self._smtp.close()

    async def say_goodbye(self) -> None:
        if self.is_open:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await self._smtp.quit(timeout=self._patience.goodbye)
        self._smtp.close()

    async def _command(self, line: bytes, wanted: int) -> None:
        try:
            code = (await self._smtp.execute_command(line, timeout=self._patience.command)).code
        except (aiosmtplib.SMTPException, OSError) as error:
            self._smtp.close()
            raise ConnectionLost from error
        if 400 <= code < 600:
            raise Refused(code)
        if not wanted <= code < wanted + 100:
            self._smtp.close()
            raise ConnectionLost


@contextlib.asynccontextmanager
async def open_line(
    server: MailServer,
    hostname: str,
    *,
    public_only: bool,
    patience: Patience,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Line]:
    """Connect, secure the connection and log in; `hostname` is who we say that we are.

    Raises `ServerAway`.
    """
    smtp = await _connect(server, hostname, public_only, patience, tls)
    line = Line(smtp, patience)
    try:
        yield line
        await line.say_goodbye()
    finally:
        line.close()


async def _connect(
    server: MailServer,
    hostname: str,
    public_only: bool,
    patience: Patience,
    tls: ssl.SSLContext | None,
) -> aiosmtplib.SMTP:
    connected: socket.socket | None = None
    smtp: aiosmtplib.SMTP | None = None
    try:
        async with asyncio.timeout(patience.opening):
            connected = await _dial(server, public_only, patience)
            smtp = aiosmtplib.SMTP(
                hostname=server.host,
                sock=connected,
                local_hostname=hostname,
                timeout=patience.command,
                use_tls=server.tls == "whole",
                start_tls=server.tls == "start",
                tls_context=tls,
                username=server.username or None,
                password=server.password or None,
            )
            # From here on the socket belongs to the connection that is made of it.
            connected = None
            await smtp.connect()
            # The server's greeting to us is part of the opening, and not of the first mail's.
            if smtp.is_ehlo_or_helo_needed:
                await smtp.ehlo()
            return smtp
    except BaseException as error:
        if smtp is not None:
            smtp.close()
        if connected is not None:
            connected.close()
        # Without its cause: in what it says a server may repeat the password, for a log to keep.
        if isinstance(error, aiosmtplib.SMTPAuthenticationError):
            raise ServerAway("login_refused") from None
        if isinstance(error, aiosmtplib.SMTPException | OSError):
            raise ServerAway("server_away") from None
        raise


async def _dial(server: MailServer, public_only: bool, patience: Patience) -> socket.socket:
    """A connected socket to the first of the server's addresses that answers."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    allowed = [it for it in found if not public_only or is_public(str(it[4][0]))]
    if not allowed:
        raise ServerAway("address_not_public")
    failure: OSError = OSError("no address")
    for family, kind, protocol, _, address in allowed:
        opened = socket.socket(family, kind, protocol)
        opened.setblocking(False)
        try:
            async with asyncio.timeout(patience.connect / min(len(allowed), 3)):
                await loop.sock_connect(opened, address)
            return opened
        except OSError as error:
            opened.close()
            failure = error
        except BaseException:
            opened.close()
            raise
    raise failure


def is_public(address: str) -> bool:
    """Whether an address is on the public internet, also where it is wrapped in an IPv6 one."""
    found = ipaddress.ip_address(address.partition("%")[0])
    return all(
        it.is_global and not it.is_multicast and not it.is_reserved for it in _wrapped(found)
    )


def _wrapped(address: _IPAddress) -> Sequence[_IPAddress]:
    """The address and those that a gateway on the way may make of it (RFC 3056, 4380, 6052)."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        inner.append(ipaddress.IPv4Address(address.packed[-4:]))
    found = [it for it in inner if it is not None]
    # A mapped address is the inner one itself.
    return found if address.ipv4_mapped else [address, *found]
