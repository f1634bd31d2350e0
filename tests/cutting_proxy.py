"""A TCP proxy before a server: it cuts, refuses, swallows and delays what goes through it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


class CuttingProxy:
    """Stands before a server; `port` is where it listens, and stays the same."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._open: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = None
        self._cuts = 0
        self._deaf = 0
        self.port = 0
        #: Each piece is passed on so many seconds late.
        self.delay = 0.0
        #: The most connections that were open to it at the same time.
        self.most = 0

    @property
    def connections(self) -> int:
        """How many connections are open to it."""
        return len(self._open)

    async def listen(self) -> None:
        """Accept connections, after `refuse` on the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Reset every connection that is open; what it was to pass on is lost."""
        self._cuts += 1
        for writer in tuple(self._open):
            writer.transport.abort()

    def refuse(self) -> None:
        """Reset every connection, and take no new one until `listen`."""
        if self._server is not None:
            self._server.close()
        self.cut()

    def forget(self) -> None:
        """Lose what is sent on the connections of now, for ever: as a router that was restarted."""
        self._deaf += 1

    async def close(self) -> None:
        """Reset every connection, and wait until those who held one have gone."""
        self.refuse()
        self.flow()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                while self._open:
                    await asyncio.sleep(0.01)

    def swallow(self) -> None:
        """Take what is sent and answer nothing, on connections old and new, until `flow`."""
        self._flows.clear()

    def flow(self) -> None:
        """Pass on what was swallowed meanwhile, and everything after it."""
        self._flows.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        self.most = max(self.most, len(self._open))
        cuts = self._cuts
        try:
            # A swallowed connection does not reach the server either.
            await self._flows.wait()
            if cuts != self._cuts:
                return
            onward, out = await asyncio.open_connection(*self._target)
            await asyncio.gather(self._pass(reader, out), self._pass(onward, writer))
        except OSError:
            pass
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cuts, deaf = self._cuts, self._deaf
        try:
            while data := await reader.read(65536):
                await asyncio.sleep(self.delay)
                await self._flows.wait()
                if cuts != self._cuts:
                    return
                if deaf != self._deaf:
                    continue
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.transport.abort()


@asynccontextmanager
async def proxy_before(url: str) -> AsyncIterator[tuple[CuttingProxy, str]]:
    """A proxy before the server of a URL, and the URL that leads through it."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    proxy = CuttingProxy(parts.hostname, parts.port)
    await proxy.listen()
    netloc = parts.netloc.rpartition("@")[0]
    netloc += f"{'@' if netloc else ''}127.0.0.1:{proxy.port}"
    try:
        yield proxy, parts._replace(netloc=netloc).geturl()
    finally:
        await proxy.close()
