"""The benchmarks' client: every request is answered once, and no wrong answer passes for one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from benchmarks.client import Client, WrongAnswer, get, open_client

_PAGE = get("localhost", "/", "")


@contextlib.asynccontextmanager
async def server(answer: bytes, piece: int) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that gives one answer to everything, in pieces; with what it was sent."""
    received: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                received.append(await reader.readuntil(b"\r\n\r\n"))
                for start in range(0, len(answer), piece):
                    writer.write(answer[start : start + piece])
                    await writer.drain()

    listening = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1], received


async def _drive(client: Client, port: int, count: int) -> tuple[int, bytes]:
    done = await asyncio.to_thread(client.drive, port, [_PAGE] * count, 3)
    return done.count, done.body


@pytest.mark.parametrize("piece", [7, 4096])
async def test_each_request_is_sent_and_answered_once(piece: int) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nserver: test\r\n\r\nhello"
    with open_client() as client:
        async with server(answer, piece) as (port, received):
            assert await _drive(client, port, 50) == (50, b"hello")
            assert received == [_PAGE] * 50


async def test_an_answer_that_is_not_200_ends_the_drive() -> None:
    answer = b"HTTP/1.1 303 See Other\r\nContent-Length: 0\r\n\r\n"
    with open_client() as client:
        async with server(answer, 4096) as (port, _):
            with pytest.raises(WrongAnswer, match="303 See Other"):
                await _drive(client, port, 5)
