"""`python -m benchmarks.stand_in PORT RECORDED`: answers GETs of Stripe's API until SIGTERM.

A secret key names its account: `sk_test_1000` is one of a thousand customers.
"""

import asyncio
import re
import sys
from pathlib import Path
from typing import cast

import uvloop

from benchmarks.stand_in.account import Account

_END_OF_HEAD = b"\r\n\r\n"
_KEY = re.compile(rb"\r\nauthorization: *bearer sk_test_([0-9]+)\r\n", re.IGNORECASE)


class _Connection(asyncio.Protocol):
    def __init__(self, account: Account) -> None:
        self._account = account
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, rest = self._received.partition(_END_OF_HEAD)
        if end:
            self._received = rest
            self._transport.write(self._answer(head + end))

    def _answer(self, head: bytes) -> bytes:
        target = head.split(b" ", 2)[1].decode()
        key = _KEY.search(head)
        body = self._account.answer(target, int(key[1])) if key else b"live"
        return (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nRequest-Id: req_0\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )


async def _serve(port: int, account: Account) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(account), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), Account(Path(sys.argv[2]))))
