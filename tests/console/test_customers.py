"""A merchant's staff find their customers and see each one's story, and nobody else's."""

import random
import string
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from guichet.billing.customer_search import (
    PAGE_SIZE,
    Standing,
    list_customers,
    list_standing,
    search_customers,
)
from guichet.billing.importing import import_tenant
from guichet.db import Database
from tests.console.conftest import AsStaff
from tests.console.town import Town
from tests.shops import Shop

_FIRST = datetime(2026, 1, 1, tzinfo=UTC)


async def _add(db: Database, tenant_id: UUID, count: int, start: int = 0) -> None:
    """Customers `cus_0`, `cus_1`, … of whom a later one is newer."""
    async with db.unit(tenant_id) as unit:
        await unit.executemany(
            """
            insert into customers (tenant_id, id, email, name, created_at, copy_no)
            values ($1, $2, $3, $4, $5, 1)
            """,
            [
                (
                    tenant_id,
                    f"cus_{number}",
                    f"person{number}@example.com",
                    f"Person {number}",
                    _FIRST + timedelta(minutes=number),
                )
                for number in range(start, start + count)
            ],
        )


async def test_the_list_is_paged_by_key_and_loses_nobody(town: Town) -> None:
    db, lumen = town.deployment.db, town.lumen.id
    await _add(db, lumen, 2 * PAGE_SIZE + 3)
    seen: list[str] = []
    after: str | None = None
    for pages in (1, 2, 3):
        async with db.unit(lumen) as unit:
            page = await list_customers(unit, after)
        seen += [it.id for it in page.customers]
        after = page.older
        assert (after is None) == (pages == 3)
    assert seen == [f"cus_{number}" for number in reversed(range(2 * PAGE_SIZE + 3))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("person7@example.com", {"cus_7"}),
        ("PERSON7@", {"cus_7"}),
        ("person 1", {"cus_1", "cus_10", "cus_11"}),
        ("cus_3", {"cus_3"}),
        ("example.com", set()),
        ("person_", set()),
        ("%", set()),
        ("\\", set()),
    ],
)
async def test_a_search_finds_what_begins_so(town: Town, text: str, found: set[str]) -> None:
    db, lumen = town.deployment.db, town.lumen.id
    await _add(db, lumen, 12)
    async with db.unit(lumen) as unit:
        assert {it.id for it in (await search_customers(unit, text)).customers} == found


@pytest.mark.parametrize("name", ["ΝΙΚΟΣ", "İpek", "ÉLODIE", "Straße"])
async def test_a_name_is_found_as_it_is_written_whatever_its_letters(town: Town, name: str) -> None:
    db, lumen = town.deployment.db, town.lumen.id
    async with db.unit(lumen) as unit:
        await unit.execute(
            """
            insert into customers (tenant_id, id, name, created_at, copy_no)
            values ($1, 'cus_1', $2 || ' Oz', now(), 1)
            """,
            lumen,
            name,
        )
        assert [it.id for it in (await search_customers(unit, name)).customers] == ["cus_1"]


async def test_a_name_of_thousands_of_letters_is_kept_and_found_by_how_it_begins(
    town: Town,
) -> None:
    # An index refuses what it cannot compress, and then nothing of the customer could be written.
    name = "".join(random.Random(1).choices(string.ascii_letters + "éß字", k=5000))
    db, lumen = town.deployment.db, town.lumen.id
    async with db.unit(lumen) as unit:
        await unit.execute(
            """
            insert into customers (tenant_id, id, name, created_at, copy_no)
            values ($1, 'cus_1', $2, now(), 1)
            """,
            lumen,
            name,
        )
        assert [it.id for it in (await search_customers(unit, name[:200])).customers] == ["cus_1"]


async def test_no_list_and_no_search_reads_more_than_its_page(town: Town) -> None:
    """Whatever plans are chosen for, so many rows are read: pages cost the same at any size."""
    db, lumen = town.deployment.db, town.lumen.id
    await _add(db, lumen, 3000)
    async with db.unit(lumen) as unit:
        await unit.execute("set local enable_seqscan = off")
        plan = "\n".join(
            row[0]
            for row in await unit.fetch(
                """
                explain (analyze, costs off, timing off, summary off)
                select id
                from customers
                where tenant_id = $1
                and not deleted
                and (created_at, id) < (now(), 'x')
                order by created_at desc, id desc
                limit 51
                """,
                lumen,
            )
        )
    assert "customers_newest" in plan
    assert "Sort" not in plan


async def _subscribe(
    db: Database, tenant_id: UUID, subscriptions: list[tuple[str, str, int]]
) -> None:
    """Each a customer, a status, and when it began in minutes; its id says the latter."""
    async with db.unit(tenant_id) as unit:
        await unit.executemany(
            """
            insert into subscriptions (
              tenant_id, id, customer_id, status, currency, cancel_at_period_end, created_at,
              copy_no
            )
            values ($1, $2, $3, $4, 'eur', false, $5, 1)
            """,
            [
                (tenant_id, f"sub_{minute}", customer, status, _FIRST + timedelta(minutes=minute))
                for customer, status, minute in subscriptions
            ],
        )


async def _listed(db: Database, tenant_id: UUID, standing: Standing) -> tuple[list[str], int]:
    """Everybody who stands so, page by page, and the number of pages."""
    found: list[str] = []
    after, pages = None, 0
    while after is not None or not pages:
        async with db.unit(tenant_id) as unit:
            page = await list_standing(unit, standing, after)
        found += [it.id for it in page.customers]
        after, pages = page.older, pages + 1
    return found, pages


#: Of customers `cus_0`, `cus_1`, …: their subscriptions in the order in which they began.
_HELD: tuple[tuple[str, ...], ...] = (
    (),
    ("active",),
    ("trialing",),
    ("past_due",),
    ("unpaid",),
    ("canceled",),
    ("canceled", "active"),
    ("active", "canceled"),
    ("canceled", "canceled"),
    ("active", "active"),
    ("active", "trialing"),
    ("incomplete_expired",),
    ("canceled", "incomplete_expired"),
    ("canceled", "paused"),
    ("past_due", "unpaid"),
)


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        ("active", [10, 9, 7, 6, 1]),
        ("trial", [10, 2]),
        ("past_due", [14, 4, 3]),
        ("cancelled", [12, 8, 5]),
    ],
)
async def test_each_is_listed_once_by_how_their_subscriptions_stand(
    town: Town, as_staff: AsStaff, standing: Standing, expected: list[int]
) -> None:
    db, lumen = town.deployment.db, town.lumen.id
    await _add(db, lumen, len(_HELD))
    held = [(f"cus_{who}", status) for who, statuses in enumerate(_HELD) for status in statuses]
    await _subscribe(db, lumen, [(*each, minute) for minute, each in enumerate(held)])
    wanted = [f"cus_{who}" for who in expected]
    assert await _listed(db, lumen, standing) == (wanted, 1)
    async with db.unit(lumen) as unit:
        found = await search_customers(unit, "person 1", standing)
    assert {it.id for it in found.customers} == {it for it in wanted if it.startswith("cus_1")}
    client = await as_staff("support")
    page = await client.get("/merchants/lumen/customers", params={"status": standing})
    assert [it for it in wanted if f'customers/{it}"' in page.text] == wanted
    assert page.text.count("/merchants/lumen/customers/cus_") == len(wanted)


async def test_the_list_by_standing_is_paged_by_key_and_loses_nobody(
    town: Town, as_staff: AsStaff
) -> None:
    db, lumen = town.deployment.db, town.lumen.id
    count = 2 * PAGE_SIZE + 3
    await _add(db, lumen, count)
    # Half of them began anew.
    again = [(f"cus_{who}", "active", count + who) for who in range(0, count, 2)]
    await _subscribe(db, lumen, [(f"cus_{who}", "active", who) for who in range(count)] + again)
    found, pages = await _listed(db, lumen, "active")
    assert (sorted(found), pages) == (sorted(f"cus_{who}" for who in range(count)), 3)
    client = await as_staff("support")
    page = (await client.get("/merchants/lumen/customers?status=active")).text
    assert 'href="?status=active&amp;after=' in page
    page = (await client.get("/merchants/lumen/customers?status=active&q=person+1")).text
    assert '<input type="hidden" name="status" value="active">' in page
    assert 'href="?q=person+1&amp;status=trial"' in page


async def test_a_page_that_finds_nobody_leads_on_to_those_who_stand_so(
    town: Town, as_staff: AsStaff
) -> None:
    """Whoever left is found behind a thousand others who came back."""
    db, lumen = town.deployment.db, town.lumen.id
    await _add(db, lumen, 1001)
    back = range(1, 1001)
    await _subscribe(db, lumen, [("cus_0", "canceled", 0)])
    await _subscribe(db, lumen, [(f"cus_{who}", "canceled", who) for who in back])
    await _subscribe(db, lumen, [(f"cus_{who}", "active", 1000 + who) for who in back])
    assert await _listed(db, lumen, "cancelled") == (["cus_0"], 3)
    client = await as_staff("support")
    page = (await client.get("/merchants/lumen/customers?status=cancelled")).text
    assert "Please go on." in page
    assert 'rel="next"' in page


async def test_no_list_by_standing_sorts_what_it_reads(town: Town) -> None:
    db, lumen = town.deployment.db, town.lumen.id
    await _add(db, lumen, 3000)
    await _subscribe(db, lumen, [(f"cus_{who}", "active", who) for who in range(3000)])
    async with db.unit(lumen) as unit:
        await unit.execute("set local enable_seqscan = off")
        plan = "\n".join(
            row[0]
            for row in await unit.fetch(
                """
                explain (costs off)
                select id, customer_id, created_at
                from subscriptions
                where tenant_id = $1
                and standing_of(status) = 'active'
                and (created_at, id) < (now(), 'x')
                order by created_at desc, id desc
                limit 500
                """,
                lumen,
            )
        )
    assert "subscriptions_standing" in plan
    assert "Sort" not in plan


@pytest.mark.parametrize("column", ["sought_email", "sought_name"])
async def test_a_search_reads_what_begins_so_and_no_more(town: Town, column: str) -> None:
    """Row level security keeps an index from comparisons that could tell of other rows."""
    db, lumen = town.deployment.db, town.lumen.id
    await _add(db, lumen, 3000)
    async with db.unit(lumen) as unit:
        await unit.execute("set local enable_seqscan = off")
        plan = "\n".join(
            row[0]
            for row in await unit.fetch(
                f"""
                explain (costs off)
                select id
                from customers
                where tenant_id = $1
                and {column} between lower($2) and lower($2) || $3
                and not deleted
                order by {column}
                limit 51
                """,
                lumen,
                "PERSON1",
                "\U0010ffff",
            )
        )
    assert f"customers_{column}" in plan
    assert f"({column} >= 'person1'::text)" in plan


@pytest.mark.parametrize("status", ["gone", "active'", "All"])
async def test_an_unknown_standing_is_refused(town: Town, as_staff: AsStaff, status: str) -> None:
    client = await as_staff("owner")
    answer = await client.get("/merchants/lumen/customers", params={"status": status})
    assert answer.status_code == 400


async def test_the_story_of_a_customer_is_told_and_another_s_does_not_exist(
    town: Town, as_staff: AsStaff, shop: Shop
) -> None:
    ada = await shop.add_customer("ada@example.com")
    subscription = await shop.subscribe(ada)
    provider = await town.deployment.providers.client(town.lumen.id)
    await import_tenant(town.deployment.db, provider, town.lumen.id, rate=500)
    client = await as_staff("support")
    listed = await client.get("/merchants/lumen/customers", params={"q": "ada@"})
    assert f"/merchants/lumen/customers/{ada}" in listed.text
    story = await client.get(f"/merchants/lumen/customers/{ada}")
    assert story.status_code == 200
    assert subscription.id in story.text
    assert "Visa" in story.text
    assert "€10.00" in story.text
    stranger = await as_staff("owner_of_volta")
    assert (await stranger.get(f"/merchants/lumen/customers/{ada}")).status_code == 404
    assert (await stranger.get(f"/merchants/volta/customers/{ada}")).status_code == 404


async def test_an_analyst_sees_nobody_s_name(town: Town, as_staff: AsStaff) -> None:
    await _add(town.deployment.db, town.lumen.id, 1)
    client = await as_staff("analyst")
    for path in ("/merchants/lumen/customers", "/merchants/lumen/customers/cus_0"):
        answer = await client.get(path)
        assert answer.status_code == 403
        assert "person0" not in answer.text


@pytest.mark.parametrize("after", ["x", "1-", "-cus_1", "1-cus 1", "9" * 40])
async def test_a_malformed_place_in_the_list_is_none(
    town: Town, as_staff: AsStaff, after: str
) -> None:
    client = await as_staff("owner")
    answer = await client.get("/merchants/lumen/customers", params={"after": after})
    assert answer.status_code == 404


async def test_a_hostile_name_stays_text(town: Town, as_staff: AsStaff) -> None:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        await unit.execute(
            """
            insert into customers (tenant_id, id, email, name, created_at, copy_no)
            values ($1, 'cus_x', 'x@example.com', '<script>alert(1)</script>{{ 7*7 }}', now(), 1)
            """,
            town.lumen.id,
        )
    client = await as_staff("admin")
    for path in ("/merchants/lumen/customers", "/merchants/lumen/customers/cus_x"):
        text = (await client.get(path)).text
        assert "<script>alert" not in text
        assert "{{ 7*7 }}" in text
