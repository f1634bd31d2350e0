"""`guichet demo`: the whole platform on one machine."""

import os
from pathlib import Path

import click

from guichet.demo.home import DEFAULT, HomeInUse
from guichet.demo.run import CannotRun, run_demo


@click.command()
@click.option(
    "--port",
    envvar="PORT",
    type=click.IntRange(1, 65535),
    default=8000,
    show_default=True,
    show_envvar=True,
    help="The port of the web; every other port is chosen free.",
)
@click.option(
    "--home",
    envvar="GUICHET_HOME",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(DEFAULT),
    show_default=True,
    show_envvar=True,
    help="Where the demo keeps its data, secrets and logs.",
)
def demo(port: int, home: Path) -> None:
    """Run a whole platform with demo data on this machine, until Ctrl-C.

    DATABASE_URL and REDIS_URL replace the embedded servers.
    """
    try:
        run_demo(home, port, os.environ, click.echo)
    except (HomeInUse, CannotRun) as error:
        raise click.ClickException(str(error)) from error
