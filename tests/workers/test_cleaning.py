"""What is kept for a while and then removed."""

from uuid import UUID, uuid4

import pytest

from guichet.db import Database
from tests.databases import DatabaseUrls
from tests.merchants import add_merchant, registry_for
from workers.cleaning import beginning_elsewhere, clean_tenant


@pytest.fixture
async def lumen(database_urls: DatabaseUrls, db: Database) -> UUID:
    return (await add_merchant(registry_for(database_urls, db))).id


async def test_bodies_of_events_handled_a_month_ago_are_dropped_and_the_rows_stay(
    db: Database, lumen: UUID
) -> None:
    async with db.unit(lumen) as unit:
        await unit.execute(
            """
            insert into provider_events (
              tenant_id, id, type, created_at, received_at, body, handled_at
            )
            select
              $1,
              given.id || '_' || number,
              'customer.updated',
              now() - given.age,
              now() - given.age,
              'body',
              case when given.handled then now() - given.age end
            from (
              values
                ('old', interval '31 days', true),
                ('recent', interval '29 days', true),
                ('waiting', interval '31 days', false)
            ) as given (id, age, handled)
            cross join generate_series(1, 1200) as number
            """,
            lumen,
        )
    await clean_tenant(db, lumen)
    async with db.unit(lumen) as unit:
        rows = await unit.fetch(
            """
            select split_part(id, '_', 1) as kind, count(1) as rows, count(body) as bodies
            from provider_events
            where tenant_id = $1
            group by kind
            order by kind
            """,
            lumen,
        )
    assert [tuple(row) for row in rows] == [
        ("old", 1200, 0),
        ("recent", 1200, 1200),
        ("waiting", 1200, 1200),
    ]


async def test_to_whom_a_mail_went_and_what_it_said_is_erased_after_13_months(
    db: Database, lumen: UUID
) -> None:
    async with db.unit(lumen) as unit:
        await unit.execute(
            """
            insert into messages (
              tenant_id, kind, customer_id, recipient, key, facts, at, state, queued_at, due_at
            )
            select
              $1,
              'receipt',
              'cus_1',
              'ada@example.com',
              given.name || '_' || number,
              '{"plan": "Team"}',
              now(),
              given.state,
              now() - given.age,
              case when given.state = 'queued' then now() end
            from (
              values
                ('old', interval '13 months 1 day', 'sent'),
                ('recent', interval '12 months 27 days', 'sent'),
                ('waiting', interval '13 months 1 day', 'queued')
            ) as given (name, age, state)
            cross join generate_series(1, 1200) as number
            """,
            lumen,
        )
    for _ in range(2):
        await clean_tenant(db, lumen)
    async with db.unit(lumen) as unit:
        rows = await unit.fetch(
            """
            select
              split_part(key, '_', 1) as name,
              count(1) as rows,
              count(recipient) as recipients,
              count(nullif(facts, '{}')) as facts,
              count(erased_at) as erased
            from messages
            where tenant_id = $1
            group by name
            order by name
            """,
            lumen,
        )
    assert [tuple(row) for row in rows] == [
        ("old", 1200, 0, 0, 1200),
        ("recent", 1200, 1200, 1200, 0),
        ("waiting", 1200, 1200, 1200, 0),
    ]


async def test_news_that_was_set_aside_is_removed_after_90_days(db: Database, lumen: UUID) -> None:
    async with db.unit(lumen) as unit:
        await unit.execute(
            """
            insert into mirror_news (
              tenant_id, kind, object_id, noted_at, set_aside_at, failure
            )
            select
              $1,
              'customer',
              given.name,
              now() - interval '200 days',
              now() - given.age,
              case when given.age is not null then 'ValueError' end
            from (
              values
                ('old', interval '91 days'),
                ('recent', interval '89 days'),
                ('waiting', null)
            ) as given (name, age)
            """,
            lumen,
        )
    await clean_tenant(db, lumen)
    async with db.unit(lumen) as unit:
        rows = await unit.fetch(
            """
            select object_id
            from mirror_news
            where tenant_id = $1
            order by object_id
            """,
            lumen,
        )
    assert [row["object_id"] for row in rows] == ["recent", "waiting"]


def test_where_a_day_does_for_a_tenth_of_the_tenants_all_are_cleaned_in_three_weeks() -> None:
    tenants = sorted(uuid4() for _ in range(1000))
    cleaned: set[UUID] = set()
    for day in range(740_000, 740_021):
        order = beginning_elsewhere(tenants, day)
        assert sorted(order) == tenants
        cleaned |= set(order[:100])
    assert cleaned == set(tenants)
    assert beginning_elsewhere([], 740_000) == []


async def test_pages_for_a_card_are_forgotten_after_three_months(db: Database, lumen: UUID) -> None:
    async with db.unit(lumen) as unit:
        await unit.execute(
            """
            insert into card_pages (tenant_id, id, customer_id, opened_at)
            values
              ($1, 'cs_old', 'cus_1', now() - interval '91 days'),
              ($1, 'cs_new', 'cus_1', now() - interval '89 days')
            """,
            lumen,
        )
    await clean_tenant(db, lumen)
    async with db.unit(lumen) as unit:
        assert await unit.fetchval("select string_agg(id, ' ') from card_pages") == "cs_new"
