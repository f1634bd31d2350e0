"""What stands before the web processes: it spreads connections over them and counts deliveries."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

#: Each delivery has one, and nothing else does.
_MARK = b"\r\nstripe-signature:"
_CONNECT_SECONDS = 2.0


class Door:
    """Listens on `port`; whoever comes is led to a process that takes connections."""

    def __init__(self) -> None:
        self.port = 0
        #: The ports of the web processes.
        self.behind: list[int] = []
        #: Deliveries that were passed on, answered or not.
        self.deliveries = 0
        self._turn = 0
        self._open: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            onward, out = await self._connect()
            await asyncio.gather(self._count(reader, out), _pass(onward, writer))
        except OSError:
            pass
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    def close(self) -> None:
        for writer in tuple(self._open):
            writer.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for _ in self.behind:
            self._turn += 1
            port = self.behind[self._turn % len(self.behind)]
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    return await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                continue
        raise ConnectionRefusedError

    async def _count(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        rest = b""
        try:
            while data := await reader.read(65536):
                seen = rest + data.lower()
                self.deliveries += seen.count(_MARK)
                # A mark may lie across two pieces, and is counted once.
                rest = seen[1 - len(_MARK) :]
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.transport.abort()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.transport.abort()


@asynccontextmanager
async def open_door(*behind: int) -> AsyncIterator[Door]:
    """A door that is open until the end."""
    door = Door()
    door.behind += behind
    server = await asyncio.start_server(door.serve, "127.0.0.1", 0)
    door.port = server.sockets[0].getsockname()[1]
    try:
        yield door
    finally:
        server.close()
        door.close()
