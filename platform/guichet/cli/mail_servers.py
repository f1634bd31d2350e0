"""`guichet tenant smtp`: a merchant's own mail server."""

import click

from guichet.cli.opening import operator, run
from guichet.cli.standard_input import read_secret
from guichet.db import Database
from guichet.mail_servers import UnusableServer, parse_server
from guichet.messages.routing import SMTP_URL
from guichet.settings import Settings
from guichet.tenancy import Registry
from tenants.vault import Vault


@click.command()
@click.argument("slug")
@click.option("--remove", is_flag=True, help="Send by the deployment's server again.")
def smtp(slug: str, remove: bool) -> None:
    """Send a tenant's mails by its own server, whose URL is read from standard input.

    Such as smtps://name:password@mail.example.com or
    smtp+starttls://name:password@mail.example.com:587, with what is not a letter or a digit
    percent-encoded. It is sealed, and nothing shows it again. Its mails come from the
    configuration's mails.sender_address.
    """
    url = "" if remove else read_secret()
    if url:
        _check(url)

    async def work(settings: Settings, db: Database) -> None:
        vault = Vault(settings.master_keys)
        await Registry(settings, db, operator()).set_secret(vault, slug, SMTP_URL, url)

    run(work)
    click.echo(
        f"{slug} sends by the deployment's mail server"
        if remove
        else f"{slug} sends by its own mail server"
    )


def _check(url: str) -> None:
    try:
        server = parse_server(url)
    except UnusableServer as error:
        raise click.ClickException(f"that server cannot be used: {error}") from error
    if server.tls == "none":
        click.echo("Without TLS it is used by a demo only if it is on this machine.", err=True)
