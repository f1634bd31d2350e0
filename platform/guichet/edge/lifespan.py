"""The lifespan protocol of ASGI, spoken for an async context manager."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import structlog

_log = structlog.get_logger()


async def hold_open(
    held: AbstractAsyncContextManager[object],
    receive: Callable[[], Awaitable[Any]],
    send: Callable[[Any], Awaitable[None]],
) -> None:
    """Enter `held` when the server starts and leave it when it stops.

    A failure at the start is told to the server, which then exits.
    """
    await receive()
    try:
        await held.__aenter__()
    except Exception as error:
        _log.exception("start failed", error=type(error).__name__)
        await send({"type": "lifespan.startup.failed", "message": str(error)})
        return
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await held.__aexit__(None, None, None)
    await send({"type": "lifespan.shutdown.complete"})
