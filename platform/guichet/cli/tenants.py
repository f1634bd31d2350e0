"""`guichet tenant`: add merchants, look at them, and set up their portals."""

import mimetypes
import re
from pathlib import Path
from typing import BinaryIO, get_args

import click

from guichet.cli.mail_servers import smtp
from guichet.cli.opening import operator, run
from guichet.cli.standard_input import read_secret
from guichet.cli.tables import print_facts, print_json, print_table
from guichet.db import Database
from guichet.payments.choose import SECRET_KEY, WEBHOOK_SECRET
from guichet.settings import Settings
from guichet.tenancy import Addresses, Registry
from tenants.agencies import find_agency
from tenants.checks import read_document
from tenants.configuration import LARGEST_DOCUMENT
from tenants.hosts import list_hosts
from tenants.pictures import LARGEST_PICTURE
from tenants.staff import TenantRole
from tenants.tenant import Status, Tenant, find_tenant, list_tenants
from tenants.vault import Vault, secret_names

_PAGE = 1000
_SECRET_NAMES = re.compile(rf"{SECRET_KEY}|{WEBHOOK_SECRET}|oidc:[a-z0-9-]+")


@click.group()
def tenant() -> None:
    """Add, list, suspend and set up tenants."""


tenant.add_command(smtp)


@tenant.command()
@click.argument("slug")
@click.argument("name")
@click.option("--agency", required=True, help="The slug of the agency it belongs to.")
def add(slug: str, name: str, agency: str) -> None:
    """Add a tenant, such as `add lumen "Lumen" --agency atelier`."""

    async def work(settings: Settings, db: Database) -> str:
        await Registry(settings, db, operator()).add_tenant(agency, slug, name)
        return Addresses(settings).portal(slug)

    click.echo(f"added tenant {slug} at {run(work)}")


@tenant.command("list")
@click.option("--agency", help="Only those of this agency.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_(agency: str | None, as_json: bool) -> None:
    """List tenants."""

    async def work(_settings: Settings, db: Database) -> list[Tenant]:
        return await _all_tenants(db, agency)

    found = run(work)
    if as_json:
        print_json(found)
        return
    print_table(
        ("TENANT", "NAME", "AGENCY", "STATUS", "VERSION", "SINCE"),
        [
            (it.slug, it.name, it.agency, it.status, it.published_version, it.created_at)
            for it in found
        ],
    )


async def _all_tenants(db: Database, agency: str | None) -> list[Tenant]:
    found: list[Tenant] = []
    if agency is not None:
        async with db.system() as connection:
            await find_agency(connection, agency)
    while True:
        async with db.system() as connection:
            page = await list_tenants(connection, agency, found[-1].slug if found else "", _PAGE)
        found += page
        if len(page) < _PAGE:
            return found


@tenant.command()
@click.argument("slug")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(slug: str, as_json: bool) -> None:
    """Show one tenant; of its secrets only the names."""

    async def work(settings: Settings, db: Database) -> dict[str, object]:
        return await _describe(settings, db, slug)

    facts = run(work)
    if as_json:
        print_json(facts)
        return
    lists = {name: value for name, value in facts.items() if isinstance(value, list)}
    print_facts(
        (name.replace("_", " "), ", ".join(lists[name]) or None if name in lists else value)
        for name, value in facts.items()
    )


async def _describe(settings: Settings, db: Database, slug: str) -> dict[str, object]:
    async with db.system() as connection:
        found = await find_tenant(connection, slug)
        hosts = await list_hosts(connection, found.id)
    async with db.unit(found.id) as unit:
        secrets = await secret_names(unit.connection, found.id)
    verified = [it.host for it in hosts if it.verified_at]
    return {
        "tenant": found.slug,
        "name": found.name,
        "id": found.id,
        "agency": found.agency,
        "status": found.status,
        "address": Addresses(settings).portal(slug, verified),
        "custom_hosts": verified,
        "unverified_hosts": [it.host for it in hosts if not it.verified_at],
        "published_version": found.published_version,
        "secrets": secrets,
        "created_at": found.created_at,
        "changed_at": found.changed_at,
    }


@tenant.command()
@click.argument("slug")
def suspend(slug: str) -> None:
    """Close a tenant's portal; nothing is lost."""
    _set_status(slug, "suspended")


@tenant.command()
@click.argument("slug")
def resume(slug: str) -> None:
    """Open a suspended tenant's portal again."""
    _set_status(slug, "active")


def _set_status(slug: str, status: Status) -> None:
    async def work(settings: Settings, db: Database) -> bool:
        return await Registry(settings, db, operator()).set_status(slug, status)

    click.echo(f"{slug} is {'now' if run(work) else 'already'} {status}")


@tenant.command("set-key")
@click.argument("slug")
@click.argument("name")
def set_key(slug: str, name: str) -> None:
    """Seal a secret, read from standard input.

    NAME is stripe_secret_key, stripe_webhook_secret, or oidc:ID for the client secret of the
    identity provider ID. Nothing shows a secret again.
    """
    if not _SECRET_NAMES.fullmatch(name):
        raise click.BadParameter(f"{name} is no secret that a tenant has; see --help")
    value = read_secret()

    async def work(settings: Settings, db: Database) -> None:
        vault = Vault(settings.master_keys)
        await Registry(settings, db, operator()).set_secret(vault, slug, name, value)

    run(work)
    click.echo(f"set {name} of {slug}")


@tenant.command()
@click.argument("slug")
@click.argument("file", type=click.File("rb"))
@click.option("--reason", default="", help="Why, for the history and the audit log.")
def publish(slug: str, file: BinaryIO, reason: str) -> None:
    """Publish the configuration in FILE, a JSON document (- is standard input)."""
    document = file.read(LARGEST_DOCUMENT + 1)

    async def work(settings: Settings, db: Database) -> int:
        registry = Registry(settings, db, operator())
        return await registry.publish(slug, read_document(document), reason)

    click.echo(f"published version {run(work)} of {slug}")


@tenant.command("add-picture")
@click.argument("slug")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def add_picture(slug: str, file: Path) -> None:
    """Keep a picture for the branding and print the id by which a configuration names it."""
    media_type = mimetypes.guess_type(file.name)[0] or ""
    with file.open("rb") as opened:
        body = opened.read(LARGEST_PICTURE + 1)

    async def work(settings: Settings, db: Database) -> str:
        return await Registry(settings, db, operator()).add_picture(slug, body, media_type)

    click.echo(run(work))


@tenant.command("set-member")
@click.argument("slug")
@click.argument("email")
@click.option("--role", type=click.Choice(get_args(TenantRole)), required=True)
def set_member(slug: str, email: str, role: TenantRole) -> None:
    """Let somebody into a merchant's workspace in the console, or change their role."""

    async def work(settings: Settings, db: Database) -> None:
        await Registry(settings, db, operator()).put_tenant_member(slug, email, role)

    run(work)
    click.echo(f"{email} is {role} of {slug}")


@tenant.group()
def host() -> None:
    """Add, verify and remove a tenant's custom domains."""


@host.command("add")
@click.argument("slug")
@click.argument("domain")
def add_host(slug: str, domain: str) -> None:
    """Note a custom domain; it is served once it is verified."""

    async def work(settings: Settings, db: Database) -> str:
        return await Registry(settings, db, operator()).add_host(slug, domain)

    click.echo(f"added {run(work)} to {slug}, not verified yet")


@host.command()
@click.argument("slug")
@click.argument("domain")
def verify(slug: str, domain: str) -> None:
    """Serve the portal at a custom domain, which you know to be the merchant's."""

    async def work(settings: Settings, db: Database) -> str:
        return await Registry(settings, db, operator()).verify_host(slug, domain)

    click.echo(f"{run(work)} serves {slug} from now on")


@host.command()
@click.argument("slug")
@click.argument("domain")
def remove(slug: str, domain: str) -> None:
    """Stop serving the portal at a custom domain."""

    async def work(settings: Settings, db: Database) -> str:
        return await Registry(settings, db, operator()).remove_host(slug, domain)

    click.echo(f"removed {run(work)} from {slug}")
