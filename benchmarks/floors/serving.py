"""How a floor is served: by the very server, settings and pool that the finished program has."""

import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import asyncpg
import uvloop
from litestar.types import Receive, Scope, Send

from guichet.cli.serve import serve_until_stopped
from guichet.edge.lifespan import hold_open

# Quoted, because asyncpg's classes take type arguments from its stubs only.
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Answer = Callable[[Scope, Receive, Send], Awaitable[None]]


async def _keep_session(_connection: object) -> None:
    """Save the round trip of asyncpg's reset at each release, as the finished program does."""


@contextlib.asynccontextmanager
async def open_pool() -> AsyncIterator[Pool]:
    """The pool of the finished program, under the floor's own name."""
    connections = int(os.environ["FLOOR_CONNECTIONS"])
    async with asyncpg.create_pool(
        os.environ["DATABASE_URL"],
        min_size=1,
        max_size=connections,
        command_timeout=10,
        reset=_keep_session,
        server_settings={"application_name": os.environ["FLOOR_CONNECTION_NAME"]},
    ) as pool:
        yield pool


def serve_floor(opened: Callable[[], contextlib.AbstractAsyncContextManager[Answer]]) -> None:
    """Serve on FLOOR_LISTEN until SIGTERM what `opened` yields; `/live` answers by itself."""
    uvloop.run(serve_until_stopped(_Floor(opened), os.environ["FLOOR_LISTEN"]))


class _Floor:
    """The ASGI program around a floor."""

    def __init__(
        self, opened: Callable[[], contextlib.AbstractAsyncContextManager[Answer]]
    ) -> None:
        self._opened = opened
        self._answer: Answer | None = None

    @contextlib.asynccontextmanager
    async def _lifespan(self) -> AsyncIterator[None]:
        async with self._opened() as self._answer:
            yield

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await hold_open(self._lifespan(), receive, send)
        elif scope["path"] == "/live":
            await answer(send, b"live")
        elif self._answer is not None:
            await self._answer(scope, receive, send)


async def answer(send: Send, body: bytes, media_type: bytes = b"text/plain") -> None:
    """Send 200 with the two headers that no answer can do without."""
    headers = [(b"content-type", media_type), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
