"""`guichet sync`: fetches what a tenant's provider never delivered."""

import click

from guichet.billing.importing import Told
from guichet.billing.imports import ImportAtWork
from guichet.billing.reconciling import Reconciled, reconcile
from guichet.cli.import_progress import describe, import_progress
from guichet.cli.opening import run
from guichet.db import Database
from guichet.payments.choose import Providers
from guichet.payments.errors import ProviderError
from guichet.settings import Settings
from guichet.webhooks.apply import Applier
from tenants.tenant import find_tenant
from tenants.vault import Vault, VaultError


@click.command()
@click.argument("tenant")
@click.option("--full", is_flag=True, help="Import everything, whatever the list of events says.")
def sync(tenant: str, full: bool) -> None:
    """Bring TENANT's mirror up to date with its provider.

    Reads the provider's list of events since the last time and applies those that never arrived.
    A tenant that was never read is imported whole. An import that was cut off goes on where it was.
    """
    try:
        with import_progress(tenant) as told:
            done = run(lambda settings, db: bring_up_to_date(settings, db, tenant, full, told))
    except ImportAtWork as error:
        raise click.ClickException(
            f"{error.message} Where it was killed, it can be gone on with after a minute or so."
        ) from error
    except ProviderError as error:
        raise click.ClickException(
            f"{error.message} ({error.code}) Check the key with `guichet doctor`."
        ) from error
    except VaultError as error:
        raise click.ClickException(str(error)) from error
    if done.imported is None:
        click.echo(f"{tenant}: {done.events} events read.")
    else:
        click.echo(f"{tenant}: imported {describe(done.imported.counts)}.")


async def bring_up_to_date(
    settings: Settings, db: Database, slug: str, full: bool, told: Told
) -> Reconciled:
    """Reconcile one tenant and apply what waits for it, with or without a worker running.

    Raises `UnknownTenant`, `ImportAtWork`, `VaultError` or a `ProviderError`.
    """
    async with db.system() as connection:
        tenant = await find_tenant(connection, slug)
    async with Providers(settings, db, Vault(settings.master_keys)) as providers:
        # Whoever syncs by hand may know that the provider lets us in again before we do.
        await providers.probe(tenant.id)
        provider = await providers.client(tenant.id)
        done = await reconcile(
            db, provider, tenant.id, full=full, rate=settings.import_rate, told=told
        )
        await Applier(db, providers).handle_events(tenant.id)
    # Only a time between rounds keeps a caller from its turn, and none was given.
    assert done is not None
    return done
