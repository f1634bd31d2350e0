"""`python -m benchmarks.importer TENANT`: the finished import, at whatever rate it can."""

import os
import sys
import time

import uvloop

from benchmarks.outcome import tell
from guichet.billing.importing import import_tenant
from guichet.db import connect
from guichet.payments.choose import Providers
from guichet.settings import read_settings
from tenants.tenant import find_tenant
from tenants.vault import Vault

_UNBOUNDED = 1e9


async def _import(slug: str) -> None:
    settings = read_settings(os.environ)
    async with (
        connect(settings.database_url, settings.database_connections) as db,
        Providers(settings, db, Vault(settings.master_keys)) as providers,
    ):
        async with db.system() as connection:
            tenant = await find_tenant(connection, slug)
        provider = await providers.client(tenant.id)
        started = time.perf_counter()
        done = await import_tenant(db, provider, tenant.id, rate=_UNBOUNDED)
        tell(sum(done.counts.values()), time.perf_counter() - started)


if __name__ == "__main__":
    uvloop.run(_import(sys.argv[1]))
