"""`guichet agency`: who hosts portals here."""

from typing import get_args

import click

from guichet.cli.opening import operator, run
from guichet.cli.tables import print_facts, print_json, print_table
from guichet.db import Database
from guichet.settings import Settings
from guichet.tenancy import Registry
from tenants.agencies import Agency, find_agency, list_agencies
from tenants.staff import AgencyRole

_PAGE = 1000


@click.group()
def agency() -> None:
    """Add, list and look at agencies."""


@agency.command()
@click.argument("slug")
@click.argument("name")
def add(slug: str, name: str) -> None:
    """Add an agency, such as `add atelier "Atelier"`."""

    async def work(settings: Settings, db: Database) -> Agency:
        return await Registry(settings, db, operator()).add_agency(slug, name)

    click.echo(f"added agency {run(work).slug}")


@agency.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_(as_json: bool) -> None:
    """List all agencies."""
    found = run(_all_agencies)
    if as_json:
        print_json(found)
        return
    print_table(
        ("AGENCY", "NAME", "TENANTS", "SINCE"),
        [(it.slug, it.name, it.tenants, it.created_at) for it in found],
    )


@agency.command()
@click.argument("slug")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(slug: str, as_json: bool) -> None:
    """Show one agency."""

    async def work(_settings: Settings, db: Database) -> Agency:
        async with db.system() as connection:
            return await find_agency(connection, slug)

    found = run(work)
    if as_json:
        print_json(found)
        return
    print_facts(
        [
            ("agency", found.slug),
            ("name", found.name),
            ("id", found.id),
            ("tenants", found.tenants),
            ("since", found.created_at),
        ]
    )


@agency.command("set-member")
@click.argument("slug")
@click.argument("email")
@click.option("--role", type=click.Choice(get_args(AgencyRole)), required=True)
def set_member(slug: str, email: str, role: AgencyRole) -> None:
    """Let somebody into an agency's workspace in the console, or change their role."""

    async def work(settings: Settings, db: Database) -> None:
        await Registry(settings, db, operator()).put_agency_member(slug, email, role)

    run(work)
    click.echo(f"{email} is {role} of {slug}")


async def _all_agencies(_settings: Settings, db: Database) -> list[Agency]:
    found: list[Agency] = []
    while True:
        async with db.system() as connection:
            page = await list_agencies(connection, found[-1].slug if found else "", _PAGE)
        found += page
        if len(page) < _PAGE:
            return found
