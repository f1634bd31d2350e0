"""PostgreSQL's catalog shows that no table, key, view, function or role lets a tenant out.

Each check is also shown a fault that it must find, so that none of them is empty.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from guichet.embedded.postgres import EmbeddedPostgres
from tests.databases import DatabaseUrls
from tests.isolation import catalog

Check = Callable[[Any], Awaitable[list[str]]]

CHECKS: list[Check] = [
    catalog.unprotected_tables,
    catalog.loose_policies,
    catalog.keys_across_tenants,
    catalog.tables_without_primary_key,
    catalog.references_across_tenants,
    catalog.leaking_views_and_functions,
    catalog.mighty_roles,
    catalog.dangerous_grants,
]


@pytest.fixture
async def superuser(
    postgres: EmbeddedPostgres, database_urls: DatabaseUrls
) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A superuser in one transaction that is rolled back, since roles belong to the cluster."""
    database = urlsplit(database_urls.web).path.removeprefix("/")
    connection = await asyncpg.connect(postgres.url("postgres", database))
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


@pytest.mark.parametrize("check", CHECKS)
async def test_the_catalog_shows_no_way_out(
    superuser: "asyncpg.Connection[Any]", check: Check
) -> None:
    assert await check(superuser) == []


async def test_the_system_role_has_the_listed_rights_and_no_other(
    superuser: "asyncpg.Connection[Any]",
) -> None:
    assert await catalog.system_grants(superuser) == catalog.SYSTEM_GRANTS


async def test_the_exception_among_the_unique_keys_is_written_by_the_system_alone(
    superuser: "asyncpg.Connection[Any]",
) -> None:
    writes = await superuser.fetchval(
        "select has_table_privilege('guichet_app', 'hosts', 'insert, update, delete')"
    )
    assert writes is False


_FAULTS: list[tuple[Check, str, str]] = [
    (
        catalog.unprotected_tables,
        "alter table invoices no force row level security",
        "invoices has no forced row-level security",
    ),
    (
        catalog.unprotected_tables,
        "alter table invoices disable row level security",
        "invoices has no forced row-level security",
    ),
    (
        catalog.unprotected_tables,
        (
            "create table more (id int primary key); alter table more enable row level security; "
            "alter table more force row level security"
        ),
        "more has no tenant_id",
    ),
    (catalog.loose_policies, "drop policy tenant on invoices", "invoices has no tenant policy"),
    (
        catalog.loose_policies,
        "create policy other on invoices to guichet_app using (true)",
        "invoices has a loose policy",
    ),
    (
        catalog.loose_policies,
        "create policy other on invoices for select to public using (true)",
        "invoices has a loose policy",
    ),
    (
        catalog.loose_policies,
        "alter policy tenant on invoices with check (true)",
        "invoices has a loose policy",
    ),
    (
        catalog.keys_across_tenants,
        "create unique index leak on customers (email)",
        "leak is unique across tenants",
    ),
    (
        catalog.keys_across_tenants,
        "create unique index leak on customers (id, tenant_id)",
        "leak is unique across tenants",
    ),
    (
        catalog.tables_without_primary_key,
        "alter table audit_log drop constraint audit_log_pkey",
        "audit_log has no primary key",
    ),
    (
        catalog.references_across_tenants,
        (
            "alter table sessions add other uuid, "
            "add constraint leak foreign key (other) references tenants (id)"
        ),
        "leak may point into another tenant",
    ),
    (
        catalog.references_across_tenants,
        (
            "alter table sessions add other uuid, add constraint leak "
            "foreign key (other, customer_id) references customers (tenant_id, id)"
        ),
        "leak may point into another tenant",
    ),
    (
        catalog.leaking_views_and_functions,
        "create view leak as select id from invoices",
        "leak is a view with its owner's rights",
    ),
    (
        catalog.leaking_views_and_functions,
        "create materialized view leak as select id from invoices",
        "leak is a materialized view",
    ),
    (
        catalog.leaking_views_and_functions,
        "alter function portal_home security definer",
        "portal_home is security definer",
    ),
    (
        catalog.mighty_roles,
        "alter role guichet_web bypassrls",
        "guichet_web is mighty or owns something",
    ),
    (
        catalog.mighty_roles,
        "alter table invoices owner to guichet_app",
        "guichet_app is mighty or owns something",
    ),
    (
        catalog.mighty_roles,
        "grant create on schema public to guichet_web",
        "guichet_web is mighty or owns something",
    ),
    (
        catalog.mighty_roles,
        "grant pg_read_all_data to guichet_system",
        "guichet_system belongs to ['pg_read_all_data']",
    ),
    (
        catalog.dangerous_grants,
        "grant truncate on invoices to guichet_app",
        "guichet_app has truncate on invoices",
    ),
    (
        catalog.dangerous_grants,
        "grant select on invoices to public",
        "everybody has select on invoices",
    ),
]


@pytest.mark.parametrize(("check", "fault", "told"), _FAULTS)
async def test_each_check_finds_the_fault_it_is_for(
    superuser: "asyncpg.Connection[Any]", check: Check, fault: str, told: str
) -> None:
    await superuser.execute(fault)
    assert told in await check(superuser)


async def test_a_grant_more_is_noticed(superuser: "asyncpg.Connection[Any]") -> None:
    await superuser.execute("grant select (email) on customers to guichet_system")
    assert await catalog.system_grants(superuser) - catalog.SYSTEM_GRANTS == {
        "select customers.email"
    }
