"""Custom domains: one tenant each, spelled one way, never the deployment's own."""

import pytest

from guichet.db import Database
from tenants import hosts
from tenants.hosts import (
    MOST_HOSTS,
    HostTaken,
    MalformedDomain,
    TooManyHosts,
    UnknownHost,
    canonical_domain,
)
from tenants.tenant import Tenant


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("pay.lumen.example", "pay.lumen.example"),
        (" Pay.Lumen.Example. ", "pay.lumen.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("lumen.co", "lumen.co"),
        ("notguichet.example", "notguichet.example"),
    ],
)
def test_a_domain_has_one_spelling(given: str, canonical: str) -> None:
    assert canonical_domain(given, "guichet.example") == canonical


@pytest.mark.parametrize(
    "domain",
    [
        "",
        "lumen",
        "bücher.example",
        "a..example",
        ".example",
        "-a.example",
        "a-.example",
        "a_b.example",
        "10.0.0.1",
        "[::1]",
        "pay.lumen.example:443",
        "https://pay.lumen.example",
        "pay.lumen.example/x",
        "u@pay.lumen.example",
        "pay.lumen.example..",
        "*.lumen.example",
        f"{'a' * 64}.example",
        f"{'a.' * 130}example",
    ],
)
def test_what_is_no_domain_name_is_refused(domain: str) -> None:
    with pytest.raises(MalformedDomain):
        canonical_domain(domain, "guichet.example")


@pytest.mark.parametrize(
    "domain", ["guichet.example", "lumen.guichet.example", "a.b.GUICHET.example."]
)
def test_names_under_the_base_domain_are_slugs_and_no_custom_domains(domain: str) -> None:
    with pytest.raises(MalformedDomain):
        canonical_domain(domain, "guichet.example")


async def test_a_domain_is_listed_with_the_time_it_was_verified(
    db: Database, lumen: Tenant
) -> None:
    async with db.system() as connection:
        await hosts.add_host(connection, lumen.id, "b.example")
        await hosts.add_host(connection, lumen.id, "a.example")
        await hosts.verify_host(connection, lumen.id, "b.example")
        listed = await hosts.list_hosts(connection, lumen.id)
    assert [(it.host, it.verified_at is not None) for it in listed] == [
        ("b.example", True),
        ("a.example", False),
    ]


async def test_verifying_again_keeps_the_first_time(db: Database, lumen: Tenant) -> None:
    times = []
    async with db.system() as connection:
        await hosts.add_host(connection, lumen.id, "a.example")
    for _ in range(2):
        async with db.system() as connection:
            await hosts.verify_host(connection, lumen.id, "a.example")
            times.append((await hosts.list_hosts(connection, lumen.id))[0].verified_at)
    assert times[0] == times[1]


async def test_a_tenant_claims_a_domain_once(db: Database, lumen: Tenant) -> None:
    async with db.system() as connection:
        await hosts.add_host(connection, lumen.id, "a.example")
        with pytest.raises(HostTaken):
            await hosts.add_host(connection, lumen.id, "a.example")


async def test_of_several_who_claim_a_domain_the_first_to_verify_it_has_it(
    db: Database, lumen: Tenant, volta: Tenant
) -> None:
    async with db.system() as connection:
        for tenant in (lumen, volta):
            await hosts.add_host(connection, tenant.id, "a.example")
        await hosts.verify_host(connection, volta.id, "a.example")
    with pytest.raises(HostTaken):
        async with db.system() as connection:
            await hosts.verify_host(connection, lumen.id, "a.example")
    async with db.system() as connection:
        listed = await hosts.list_hosts(connection, lumen.id)
    assert [it.state for it in listed] == ["pending"]


async def test_what_another_tenant_has_verified_cannot_be_claimed(
    db: Database, lumen: Tenant, volta: Tenant
) -> None:
    async with db.system() as connection:
        await hosts.add_host(connection, lumen.id, "a.example")
        await hosts.verify_host(connection, lumen.id, "a.example")
        with pytest.raises(HostTaken):
            await hosts.add_host(connection, volta.id, "a.example")


async def test_a_tenant_has_so_many_domains_at_most(db: Database, lumen: Tenant) -> None:
    async with db.system() as connection:
        for number in range(MOST_HOSTS):
            await hosts.add_host(connection, lumen.id, f"a{number}.example")
        with pytest.raises(TooManyHosts):
            await hosts.add_host(connection, lumen.id, "one-more.example")
        with pytest.raises(HostTaken):
            await hosts.add_host(connection, lumen.id, "a0.example")


async def test_a_removed_domain_can_be_another_tenant_s(
    db: Database, lumen: Tenant, volta: Tenant
) -> None:
    async with db.system() as connection:
        await hosts.add_host(connection, lumen.id, "a.example")
        await hosts.remove_host(connection, lumen.id, "a.example")
        await hosts.add_host(connection, volta.id, "a.example")


async def test_another_tenant_s_domain_is_unknown(
    db: Database, lumen: Tenant, volta: Tenant
) -> None:
    async with db.system() as connection:
        await hosts.add_host(connection, lumen.id, "a.example")
        for act in (hosts.verify_host, hosts.remove_host):
            with pytest.raises(UnknownHost):
                await act(connection, volta.id, "a.example")
