"""`guichet serve`: one web process."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import click
import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from guichet.app import create_app
from guichet.demo.web import create_demo_app
from guichet.monitoring import serve_metrics
from guichet.settings import SettingsError, read_settings

#: How long requests in hand may take once the process is asked to stop.
_FINISH_SECONDS = 20
_HEADER_MILLISECONDS = 10_000
#: What is held of one connection: all headers of a request must fit into it.
_BUFFER_BYTES = 64 * 1024


@click.command()
def serve() -> None:
    """Run a web process on GUICHET_LISTEN; run more of them on other ports for more cores.

    SIGTERM makes it say that it is not ready, for GUICHET_DRAIN_SECONDS, so that it gets no new
    requests; then, as at once on Ctrl-C, it stops when those in hand are answered.
    """
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    serve_metrics(settings)
    app = create_demo_app(settings) if settings.demo else create_app(settings)
    uvloop.run(serve_until_stopped(app, settings.listen, settings.drain_seconds, app.leave))


async def serve_until_stopped(
    app: Callable[..., Awaitable[None]],
    listen: str,
    drain_s: float = 0.0,
    leave: Callable[[], None] = lambda: None,
) -> None:
    """Serve in this very process: killed, it leaves no child behind that holds the port."""
    host, _, port = listen.rpartition(":")
    server = Server(
        app,
        address=host.strip("[]"),
        port=int(port),
        interface=Interfaces.ASGI,
        # A reverse proxy in front speaks HTTP/1.1 to us; what nobody needs, nobody can attack.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=_HEADER_MILLISECONDS, max_buffer_size=_BUFFER_BYTES
        ),
        websockets=False,
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.stop()  # type: ignore[no-untyped-call]
        loop.call_later(_FINISH_SECONDS, os._exit, 1)

    def drain() -> None:
        # A connection that waits to be accepted is reset when the port closes: first of all,
        # whoever sends us requests has to stop.
        leave()
        loop.call_later(drain_s, stop)

    loop.add_signal_handler(signal.SIGTERM, drain)
    loop.add_signal_handler(signal.SIGINT, stop)
    await server.serve()
