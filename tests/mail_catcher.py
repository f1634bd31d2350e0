"""A mail server on loopback that keeps what it accepts, and fails where a test wants it to.

It runs on a thread of its own, so that tests of every kind can look into it. The stages of a mail
are `connect`, `ehlo`, `auth`, `mail`, `rcpt`, `data` (before the body) and `body` (after it).
"""

import asyncio
import ssl
import threading
from collections.abc import Coroutine
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, AnyStr, Literal, NamedTuple, TypeVar

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from guichet.embedded.programs import free_port

Answer = TypeVar("Answer")
Stage = Literal["connect", "ehlo", "auth", "mail", "rcpt", "data", "body"]

_HOST = "catcher.example"


class Mail(NamedTuple):
    """What was accepted: envelope and content."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=policy.default)

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        assert part is not None
        return str(part.get_content())


class Fault(NamedTuple):
    """What happens at a stage in place of the usual, after `seconds`."""

    stage: Stage
    #: A reply such as `451 later`; empty for none.
    reply: str = ""
    #: The connection ends there without a reply.
    drops: bool = False
    #: Of the stage `body`: the mail is kept all the same.
    keeps: bool = False
    seconds: float = 0.0
    #: Only for a recipient that holds this text.
    recipient: str = ""


class MailCatcher:
    """`with MailCatcher() as catcher:` serves at `catcher.url` until the block ends.

    With `login` a client has to log in; with `tls` it is served by TLS from the first byte, or with
    `start_tls` after STARTTLS.
    """

    def __init__(
        self,
        port: int = 0,
        login: tuple[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        start_tls: ssl.SSLContext | None = None,
    ) -> None:
        self.port = port or free_port()
        self.messages: list[Mail] = []
        #: The stages that connections have come to, in order.
        self.stages: list[Stage] = []
        self.connections = 0
        self._faults: list[tuple[Fault, list[int]]] = []
        self._lock = threading.Lock()
        self._server = _Server(self, login, tls, start_tls)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def __enter__(self) -> "MailCatcher":
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def answer(self, stage: Stage, reply: str, times: int = 10**9, recipient: str = "") -> None:
        """Reply so at a stage, `times` times."""
        self._add(Fault(stage, reply=reply, recipient=recipient), times)

    def drop(self, stage: Stage, times: int = 10**9, keeps: bool = False) -> None:
        """End the connection at a stage; with `keeps` the mail counts as accepted before."""
        self._add(Fault(stage, drops=True, keeps=keeps), times)

    def slow(self, stage: Stage, seconds: float, times: int = 10**9, keeps: bool = False) -> None:
        """Be silent at a stage for a while; with `keeps` the mail is accepted before that."""
        self._add(Fault(stage, seconds=seconds, keeps=keeps), times)

    def behave(self) -> None:
        """Forget every fault."""
        with self._lock:
            self._faults.clear()

    def reached(self, stage: Stage) -> int:
        """How many times a stage was come to."""
        return self.stages.count(stage)

    def _add(self, fault: Fault, times: int) -> None:
        with self._lock:
            self._faults.append((fault, [times]))

    def take_fault(self, stage: Stage, recipients: tuple[str, ...] = ()) -> Fault | None:
        """Note that a stage was come to; answers what goes wrong there."""
        with self._lock:
            self.stages.append(stage)
            self.connections += stage == "connect"
            for fault, left in self._faults:
                is_meant = not fault.recipient or any(fault.recipient in it for it in recipients)
                if fault.stage == stage and left[0] > 0 and is_meant:
                    left[0] -= 1
                    return fault
        return None


class _Server:
    """A loop on a thread that accepts connections."""

    def __init__(
        self,
        catcher: MailCatcher,
        login: tuple[str, str] | None,
        tls: ssl.SSLContext | None,
        start_tls: ssl.SSLContext | None,
    ) -> None:
        self._catcher = catcher
        self._login = login
        self._tls = tls
        self._start_tls = start_tls
        self._connections: list[SMTP] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._server = self._call(self._listen())

    def stop(self) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(
            self._connection, "127.0.0.1", self._catcher.port, ssl=self._tls
        )

    async def _end(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for connection in self._connections:
            if connection.transport is not None:
                connection.transport.close()
        await asyncio.sleep(0)

    def _connection(self) -> SMTP:
        options: dict[str, Any] = {"hostname": _HOST, "loop": self._loop}
        if self._login:
            options |= {"authenticator": self._authenticate, "auth_require_tls": False}
        if self._start_tls:
            options |= {"tls_context": self._start_tls, "require_starttls": True}
        opened = _Connection(self._catcher, _Handler(self._catcher, bool(self._login)), **options)
        self._connections.append(opened)
        return opened

    def _authenticate(self, *given: object) -> AuthResult:
        credentials = given[-1]
        fault = self._catcher.take_fault("auth")
        is_right = isinstance(credentials, LoginPassword) and self._login == (
            credentials.login.decode(),
            credentials.password.decode(),
        )
        return AuthResult(success=is_right and fault is None, handled=False)


class _Handler:
    def __init__(self, catcher: MailCatcher, needs_login: bool) -> None:
        self._catcher = catcher
        self._needs_login = needs_login

    async def handle_EHLO(  # noqa: N802 - aiosmtpd names the hooks.
        self,
        server: "_Connection",
        session: Session,
        _envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        session.host_name = hostname
        reply = await server.go_wrong("ehlo")
        return [reply] if reply else responses

    async def handle_MAIL(  # noqa: N802
        self,
        server: "_Connection",
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        reply = await server.go_wrong("mail")
        if self._needs_login and not session.authenticated:
            reply = reply or "530 log in first"
        if not reply:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return reply or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self,
        server: "_Connection",
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        reply = await server.go_wrong("rcpt", (address,))
        if not reply:
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return reply or "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: "_Connection", _session: Session, envelope: Envelope
    ) -> str:
        recipients, content = tuple(envelope.rcpt_tos), envelope.content
        assert isinstance(content, bytes)
        mail = Mail(envelope.mail_from or "", recipients, content)
        fault = self._catcher.take_fault("body", recipients)
        if fault is None or fault.keeps:
            self._catcher.messages.append(mail)
        reply = await server.do(fault)
        if fault is not None and fault.seconds and not fault.keeps:
            self._catcher.messages.append(mail)
        return reply or "250 OK"


class _Connection(SMTP):
    def __init__(self, catcher: MailCatcher, handler: object, **options: Any) -> None:
        self._catcher = catcher
        super().__init__(handler, **options)

    async def go_wrong(self, stage: Stage, recipients: tuple[str, ...] = ()) -> str:
        """Do what a fault of this stage says; answers its reply, or nothing."""
        return await self.do(self._catcher.take_fault(stage, recipients))

    async def do(self, fault: Fault | None) -> str:
        if fault is None:
            return ""
        await asyncio.sleep(fault.seconds)
        if fault.drops:
            assert isinstance(self.transport, asyncio.Transport)
            self.transport.abort()
            raise asyncio.CancelledError
        return fault.reply

    async def push(self, status: AnyStr) -> None:
        """The first thing that is said to a client is the greeting."""
        if isinstance(status, str) and status.startswith(f"220 {_HOST} "):
            reply = await self.go_wrong("connect")
            await super().push(reply or status)
        else:
            await super().push(status)

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        reply = await self.go_wrong("data", tuple(self.envelope.rcpt_tos if self.envelope else ()))
        if reply:
            await self.push(reply)
            return
        await super().smtp_DATA(arg)
