"""Tenants' accounts at the stand-in, in the mirror already, and their keys in the vault."""

from pathlib import Path

import asyncpg

from benchmarks.machine import SUPERUSER, Machine
from benchmarks.seed import Seeded, write_tenants
from benchmarks.stand_in.account import key_of
from guichet.payments.choose import SECRET_KEY
from tenants.vault import Vault

_MIRROR = Path(__file__).with_name("accounts.sql")


async def seed_accounts(
    machine: Machine, database: str, tenants: int, customers: int, *, mirrored: bool = True
) -> list[Seeded]:
    """Write tenants into an empty database, each with an account of so many customers."""
    seeded = [Seeded(number) for number in range(tenants)]
    connection = await asyncpg.connect(machine.postgres.url(SUPERUSER, database))
    try:
        async with connection.transaction():
            await write_tenants(connection, seeded)
            vault = Vault([machine.master_key])
            for tenant in seeded:
                await vault.store(connection, tenant.id, SECRET_KEY, key_of(customers))
            if mirrored:
                await _write_mirror(connection, seeded, customers)
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()
    return seeded


async def _write_mirror(
    connection: "asyncpg.Connection[asyncpg.Record]", tenants: list[Seeded], customers: int
) -> None:
    await connection.execute("create temporary table accounts (tenant_id uuid, customers integer)")
    await connection.copy_records_to_table(
        "accounts", records=[(tenant.id, customers) for tenant in tenants]
    )
    await connection.execute(_MIRROR.read_text())
