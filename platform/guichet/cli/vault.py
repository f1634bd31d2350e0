"""`guichet vault`: the sealed secrets under the current master key."""

import click

from guichet.cli.opening import operator, run
from guichet.cli.tables import print_facts
from guichet.db import Database
from guichet.settings import Settings
from guichet.tenancy import Registry
from tenants.tenant import Tenant, list_tenants
from tenants.vault import Vault, VaultError

_PAGE = 1000


@click.group()
def vault() -> None:
    """Look after the sealed secrets."""


@vault.command()
def rotate() -> None:
    """Put every secret under the first key of GUICHET_MASTER_KEY.

    May run at any time and again: secrets are read and set meanwhile. Once it has run without a
    failure the older keys can go.
    """
    wrapped, tenants, failures = run(_rotate_all)
    print_facts([("secrets rotated", wrapped), ("of tenants", tenants)])
    for failure in failures:
        click.echo(failure, err=True)
    if failures:
        raise click.ClickException(f"{len(failures)} tenants' secrets are not; see above")


async def _rotate_all(settings: Settings, db: Database) -> tuple[int, int, list[str]]:
    sealing, registry = Vault(settings.master_keys), Registry(settings, db, operator())
    wrapped, tenants, failures = 0, 0, []
    after = ""
    while page := await _page(db, after):
        after = page[-1].slug
        for tenant in page:
            try:
                count = await registry.rotate(sealing, tenant.id)
            except VaultError as error:
                failures.append(f"{tenant.slug}: {error}")
                continue
            wrapped += count
            tenants += count > 0
    return wrapped, tenants, failures


async def _page(db: Database, after: str) -> list[Tenant]:
    async with db.system() as connection:
        return await list_tenants(connection, after=after, limit=_PAGE)
