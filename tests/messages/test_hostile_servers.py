"""A mail server of a merchant's may do what it likes: it costs a little time, and no secret."""

import asyncio
import base64
import contextlib
import socket
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from guichet.mail_servers import parse_server
from guichet.messages.dialing import (
    ConnectionLost,
    OutcomeUnknown,
    Refused,
    ServerAway,
    open_line,
)
from tests.messages.certificates import make_certificate
from tests.messages.sending import SHORT

_PASSWORD = "s3cret-of-lumen"
_BODY = b"Subject: Hello\r\n\r\nHello\r\n"

Serving = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(serve: Serving) -> AsyncIterator[int]:
    """A server on loopback that behaves as it is told; answers its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def hand_over(url: str) -> None:
    async with open_line(
        parse_server(url), "guichet.example", public_only=False, patience=SHORT
    ) as line:
        await line.offer("mail@guichet.example", "ada@example.com")
        await line.give(_BODY)


async def flood(writer: asyncio.StreamWriter, chunk: bytes, pause: float = 0) -> None:
    """Send the same without end."""
    while True:
        writer.write(chunk)
        await writer.drain()
        await asyncio.sleep(pause)


async def one_line_without_end(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await flood(writer, b"2" * 65536)


async def lines_without_end(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await flood(writer, b"220-and so on\r\n" * 1000)


async def a_letter_at_a_time(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await flood(writer, b"2", 0.05)


async def a_line_at_a_time(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await flood(writer, b"220-wait\r\n", 0.05)


async def nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def http(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n<html>")
    await writer.drain()


@pytest.mark.parametrize(
    "serve",
    [one_line_without_end, lines_without_end, a_letter_at_a_time, a_line_at_a_time, nothing, http],
)
async def test_a_server_that_never_comes_to_the_point_is_left(serve: Serving) -> None:
    async with serving(serve) as port, asyncio.timeout(20):
        with pytest.raises(ServerAway):
            await hand_over(f"smtp://127.0.0.1:{port}")


async def everything_at_once(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Every answer of a whole mail before anything was asked."""
    writer.write(b"220 hello\r\n" + b"250 yes\r\n" * 3 + b"354 go on\r\n250 delivered\r\n" * 3)
    await writer.drain()
    await asyncio.sleep(30)


async def test_answers_that_came_before_their_questions_deliver_nothing() -> None:
    async with serving(everything_at_once) as port, asyncio.timeout(20):
        with pytest.raises((ServerAway, ConnectionLost, Refused, OutcomeUnknown)):
            await hand_over(f"smtp://127.0.0.1:{port}")


async def test_what_came_in_plain_words_before_tls_counts_for_nothing() -> None:
    seen = b""

    async def strip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        writer.write(b"220 hello\r\n")
        seen += await reader.readline()
        writer.write(b"250-here\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS\r\n")
        seen += await reader.readline()
        # Whoever is in between answers in the name of the encrypted session, and goes on in plain.
        writer.write(b"220 go\r\n250-mine\r\n250 AUTH PLAIN\r\n235 welcome\r\n250 yes\r\n")
        seen += await reader.read(65536)

    async with serving(strip) as port, asyncio.timeout(20):
        with pytest.raises(ServerAway):
            await hand_over(f"smtp+starttls://lumen:{_PASSWORD}@127.0.0.1:{port}")
    assert b"STARTTLS" in seen
    assert b"AUTH" not in seen
    assert b"MAIL" not in seen


async def test_a_server_that_repeats_the_password_finds_no_ear(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    certificate = make_certificate(tmp_path_factory.mktemp("echo"))
    said = base64.b64encode(f"\0lumen\0{_PASSWORD}".encode()).decode()

    async def repeat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        while line := await reader.readline():
            known = b"250-here\r\n250 AUTH PLAIN\r\n" if line[:4] == b"EHLO" else b""
            writer.write(known or b"535 " + _PASSWORD.encode() + b" " + line.strip() + b"\r\n")

    server = await asyncio.start_server(repeat, "127.0.0.1", 0, ssl=certificate.server)
    async with server:
        port = server.sockets[0].getsockname()[1]
        wanted = parse_server(f"smtps://lumen:{_PASSWORD}@127.0.0.1:{port}")
        with pytest.raises(ServerAway) as raised:
            async with open_line(
                wanted, "guichet.example", public_only=False, patience=SHORT, tls=certificate.client
            ):
                pass
    assert raised.value.reason == "login_refused"
    # What a log or the doctor may hold of it.
    for shown in (str(raised.value), repr(raised.value), repr(wanted)):
        assert _PASSWORD not in shown
        assert said not in shown
    told = "".join(traceback.format_exception(raised.value))
    assert _PASSWORD not in told
    assert said not in told


@pytest.mark.parametrize("inside", ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "0"])
async def test_no_way_of_writing_an_address_leads_inside(inside: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        with pytest.raises((ServerAway, ValueError)):
            async with open_line(
                parse_server(f"smtp://{inside}:{port}"),
                "guichet.example",
                public_only=True,
                patience=SHORT,
            ):
                pass
        with pytest.raises(BlockingIOError):
            server.accept()
