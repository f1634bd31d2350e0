"""Every act leaves its audit row, in the same transaction or not at all."""

import json
from typing import Any

import asyncpg
import pytest

from guichet.audit import record
from guichet.db import Database
from guichet.tenancy import Registry
from tenants.configuration import Configuration
from tenants.hosts import HostTaken
from tenants.tenant import Tenant
from tenants.vault import Vault
from tests.drawn_pictures import PNG
from tests.merchants import add_merchant, master_key


async def _log(db: Database, tenant: Tenant) -> list[tuple[str, str, dict[str, Any]]]:
    async with db.unit(tenant.id) as unit:
        rows = await unit.fetch(
            """
            select action, object, details::text as details, actor_kind, actor
            from audit_log
            where tenant_id = $1
            order by at
            """,
            tenant.id,
        )
    assert {(row["actor_kind"], row["actor"]) for row in rows} == {("system", "test")}
    return [(row["action"], row["object"], json.loads(row["details"])) for row in rows]


async def test_each_act_is_told_in_the_tenant_s_log_without_secrets(
    db: Database, registry: Registry, lumen: Tenant
) -> None:
    old, new = master_key(), master_key()
    await registry.set_status("lumen", "suspended")
    await registry.set_status("lumen", "active")
    await registry.add_host("lumen", "Pay.Lumen.Example")
    await registry.verify_host("lumen", "pay.lumen.example")
    await registry.remove_host("lumen", "pay.lumen.example")
    await registry.set_secret(Vault([old]), "lumen", "stripe_secret_key", "marker")
    await registry.rotate(Vault([new, old]), lumen.id)
    picture = await registry.add_picture("lumen", PNG, "image/png")
    await registry.publish("lumen", Configuration(), "first")
    log = await _log(db, lumen)
    assert [(action, subject) for action, subject, _ in log] == [
        ("tenant.added", "lumen"),
        ("tenant.suspended", "lumen"),
        ("tenant.resumed", "lumen"),
        ("host.added", "pay.lumen.example"),
        ("host.verified", "pay.lumen.example"),
        ("host.removed", "pay.lumen.example"),
        ("secret.set", "stripe_secret_key"),
        ("vault.rotated", "vault"),
        ("picture.added", picture),
        ("configuration.published", "1"),
    ]
    assert log[-1][2] == {"version": 1, "reason": "first"}
    assert "marker" not in repr(log)
    assert old not in repr(log)


async def test_an_act_that_changes_nothing_is_not_told(
    db: Database, registry: Registry, lumen: Tenant
) -> None:
    assert not await registry.set_status("lumen", "active")
    assert await registry.rotate(Vault([master_key()]), lumen.id) == 0
    await add_merchant(registry, "volta")
    await registry.add_host("volta", "pay.example")
    await registry.verify_host("volta", "pay.example")
    with pytest.raises(HostTaken):
        await registry.add_host("lumen", "pay.example")
    assert [action for action, _, _ in await _log(db, lumen)] == ["tenant.added"]


async def test_an_agency_has_a_log_of_its_own(db: Database, registry: Registry) -> None:
    agency = await registry.add_agency("bureau", "Bureau")
    async with db.system() as connection:
        row = await connection.fetchrow(
            """
            select actor_kind, actor, action, object
            from agency_audit_log
            where agency_id = $1
            """,
            agency.id,
        )
    assert row is not None
    assert tuple(row) == ("system", "test", "agency.added", "bureau")


async def test_a_row_goes_when_its_change_goes(db: Database, lumen: Tenant) -> None:
    async def change_and_fail() -> None:
        async with db.unit(lumen.id) as unit:
            await record(unit, "staff", "s", "tenant.renamed", "lumen", {"n": 1}, "request")
            raise KeyError

    with pytest.raises(KeyError):
        await change_and_fail()
    assert len(await _log(db, lumen)) == 1


async def test_the_log_cannot_be_changed_by_the_application(db: Database, lumen: Tenant) -> None:
    for sql in ("delete from audit_log", "update audit_log set actor = 'nobody'"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with db.unit(lumen.id) as unit:
                await unit.execute(sql)


async def test_the_system_writes_to_the_log_and_cannot_read_it(db: Database, lumen: Tenant) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.system() as connection:
            await connection.fetch("select actor from audit_log")
