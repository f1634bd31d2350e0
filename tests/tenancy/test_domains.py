"""Custom domains proved by DNS, and lost when their records are gone."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import pytest

from guichet.audit import Actor
from guichet.db import Database
from guichet.tenancy.domains import Finding, Resolver, check_domain
from tenants.hosts import (
    Host,
    HostTaken,
    UnknownHost,
    add_host,
    challenge,
    list_hosts,
    remove_host,
    verify_host,
)
from tenants.tenant import Tenant
from tests.databases import DatabaseUrls
from tests.dns_server import DnsServer, dns_server
from tests.merchants import add_merchant, registry_for

HOST = "pay.lumen.example"
TARGET = "lumen.guichet.example"


@pytest.fixture
async def dns() -> AsyncIterator[DnsServer]:
    async with dns_server() as server:
        yield server


@pytest.fixture
async def lumen(database_urls: DatabaseUrls, db: Database) -> Tenant:
    return await add_merchant(registry_for(database_urls, db))


@pytest.fixture
async def volta(database_urls: DatabaseUrls, db: Database, lumen: Tenant) -> Tenant:
    return await add_merchant(registry_for(database_urls, db), "volta", "Volta")


class Claim(NamedTuple):
    """A tenant's claim to a domain, as the tests look at it."""

    db: Database
    tenant_id: UUID
    resolver: Resolver

    async def check(self) -> Host:
        """Look it up, and answer what is known of it then."""
        by = Actor("system", "test")
        await check_domain(self.db, self.resolver, self.tenant_id, HOST, TARGET, by)
        return await self.host()

    async def host(self) -> Host:
        async with self.db.system() as connection:
            listed = await list_hosts(connection, self.tenant_id)
        return next(it for it in listed if it.host == HOST)

    async def pass_time(self, time: timedelta) -> None:
        """Have its records be gone for longer."""
        async with self.db.system() as connection:
            await connection.execute(
                """
                update hosts
                set missing_since = missing_since - $3::interval
                where tenant_id = $1
                and host = $2
                """,
                self.tenant_id,
                HOST,
                time,
            )

    async def change_no(self) -> int:
        async with self.db.system() as connection:
            number: int = await connection.fetchval(
                "select change_no from tenants where id = $1", self.tenant_id
            )
        return number

    async def log(self) -> list[str]:
        async with self.db.unit(self.tenant_id) as unit:
            rows = await unit.fetch(
                """
                select action
                from audit_log
                where tenant_id = $1
                and object = $2
                order by at, id
                """,
                self.tenant_id,
                HOST,
            )
        return [row["action"] for row in rows]


@pytest.fixture
async def claim(db: Database, lumen: Tenant, dns: DnsServer) -> Claim:
    async with db.system() as connection:
        await add_host(connection, lumen.id, HOST)
    return Claim(db, lumen.id, Resolver((dns.address,), seconds=0.2))


def prove(dns: DnsServer, tenant_id: UUID) -> None:
    """Publish both records, as the console asks for them."""
    dns.prove(HOST, challenge(tenant_id, HOST))
    dns.alias(HOST, TARGET)


async def test_a_domain_with_both_records_is_verified(claim: Claim, dns: DnsServer) -> None:
    prove(dns, claim.tenant_id)
    found = await claim.check()
    assert found.state == "verified"
    assert found.proved_by_dns
    assert await claim.log() == ["host.verified"]


@pytest.mark.parametrize("missing", ["TXT", "CNAME"])
async def test_a_domain_that_lacks_a_record_stays_pending(
    claim: Claim, dns: DnsServer, missing: str
) -> None:
    prove(dns, claim.tenant_id)
    dns.records = {key: value for key, value in dns.records.items() if key[1] != missing}
    found = await claim.check()
    assert found.state == "pending"
    assert (found.proof_seen, found.leads_here) == (missing != "TXT", missing != "CNAME")


async def test_another_tenant_s_record_proves_nothing(
    claim: Claim, dns: DnsServer, volta: Tenant
) -> None:
    prove(dns, volta.id)
    assert (await claim.check()).state == "pending"


async def test_a_record_for_another_domain_proves_nothing(claim: Claim, dns: DnsServer) -> None:
    prove(dns, claim.tenant_id)
    dns.prove(HOST, challenge(claim.tenant_id, "shop.lumen.example"))
    assert (await claim.check()).state == "pending"


async def test_a_domain_that_shares_an_address_leads_here_too(claim: Claim, dns: DnsServer) -> None:
    dns.prove(HOST, challenge(claim.tenant_id, HOST))
    dns.records[HOST, "AAAA"] = ["2001:db8::1"]
    dns.records[TARGET, "AAAA"] = ["2001:db8::2", "2001:db8::1"]
    assert (await claim.check()).state == "verified"


async def test_one_proof_among_other_texts_is_found(claim: Claim, dns: DnsServer) -> None:
    prove(dns, claim.tenant_id)
    key = (f"_guichet-challenge.{HOST}", "TXT")
    first, second = challenge(claim.tenant_id, HOST)[:9], challenge(claim.tenant_id, HOST)[9:]
    dns.records[key] = ['"v=spf1 -all"', f'"{first}" "{second}"']
    assert (await claim.check()).state == "verified"


@pytest.mark.parametrize("silent", [False, True])
async def test_where_nobody_answers_nothing_is_known(
    claim: Claim, dns: DnsServer, silent: bool
) -> None:
    prove(dns, claim.tenant_id)
    dns.silent, dns.failure = silent, "SERVFAIL"
    found = await claim.check()
    assert (found.state, found.proof_seen, found.leads_here) == ("pending", None, None)


async def test_the_first_to_prove_a_domain_has_it(
    claim: Claim, dns: DnsServer, volta: Tenant
) -> None:
    async with claim.db.system() as connection:
        await add_host(connection, volta.id, HOST)
    prove(dns, claim.tenant_id)
    await claim.check()
    prove(dns, volta.id)
    with pytest.raises(HostTaken):
        await claim._replace(tenant_id=volta.id).check()
    assert (await claim.host()).state == "verified"


async def test_a_domain_whose_record_is_gone_serves_for_three_days(
    claim: Claim, dns: DnsServer
) -> None:
    prove(dns, claim.tenant_id)
    await claim.check()
    dns.records.clear()
    assert (await claim.check()).state == "verified"
    await claim.pass_time(timedelta(hours=71))
    assert (await claim.check()).state == "verified"
    await claim.pass_time(timedelta(hours=1))
    lost = await claim.check()
    assert lost.state == "lost"
    assert await claim.log() == ["host.verified", "host.lost"]


async def test_a_record_that_comes_back_in_time_counts_anew(claim: Claim, dns: DnsServer) -> None:
    prove(dns, claim.tenant_id)
    await claim.check()
    kept, dns.records = dns.records, {}
    await claim.check()
    await claim.pass_time(timedelta(hours=71))
    dns.records = kept
    assert (await claim.check()).missing_since is None
    dns.records = {}
    await claim.check()
    assert (await claim.check()).state == "verified"


async def test_servers_that_do_not_answer_take_no_domain_away(claim: Claim, dns: DnsServer) -> None:
    prove(dns, claim.tenant_id)
    await claim.check()
    kept, dns.records = dns.records, {}
    await claim.check()
    await claim.pass_time(timedelta(hours=100))
    dns.failure = "SERVFAIL"
    assert (await claim.check()).state == "verified"
    dns.failure, dns.records = None, kept
    assert (await claim.check()).missing_since is None


async def test_a_lost_domain_is_proved_again(claim: Claim, dns: DnsServer) -> None:
    prove(dns, claim.tenant_id)
    await claim.check()
    kept, dns.records = dns.records, {}
    await claim.check()
    await claim.pass_time(timedelta(hours=72))
    await claim.check()
    dns.records = kept
    found = await claim.check()
    assert (found.state, found.lost_at) == ("verified", None)


async def test_what_an_operator_verified_is_not_taken_back(claim: Claim) -> None:
    async with claim.db.system() as connection:
        await verify_host(connection, claim.tenant_id, HOST)
    await claim.check()
    await claim.pass_time(timedelta(hours=100))
    assert (await claim.check()).state == "verified"


async def test_a_check_that_changes_nothing_is_no_news_of_the_tenant(
    claim: Claim, dns: DnsServer
) -> None:
    prove(dns, claim.tenant_id)
    await claim.check()
    before = await claim.change_no()
    await claim.check()
    assert await claim.change_no() == before


async def test_a_domain_that_was_removed_meanwhile_is_unknown(claim: Claim) -> None:
    async with claim.db.system() as connection:
        await remove_host(connection, claim.tenant_id, HOST)
    with pytest.raises(UnknownHost):
        await claim.check()


async def test_a_name_too_long_to_be_proved_is_not(claim: Claim) -> None:
    host = ".".join(["a" * 60] * 4)
    found = await claim.resolver.look_up(claim.tenant_id, host, TARGET)
    assert found == Finding(False, False)
