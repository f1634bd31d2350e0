"""Two merchants alike but for their marks: nothing of one ever shows a mark of the other."""

import asyncio
import json
import re
from typing import Any

import asyncpg
import httpx
import pytest
from prometheus_client import generate_latest

from guichet.settings import Settings
from tests.isolation.crawler import as_text, crawl
from tests.isolation.marks import marks_of, readable_rows, rows_of
from tests.isolation.server import Server
from tests.isolation.test_matrix import TABLE
from tests.isolation.twins import PEOPLE, Twin, Twins, ids_of

#: Tables that no tenant has rows in, and tables without tenants.
WITHOUT_ROWS = {"schema_migrations"}
#: Tables whose rows stay for as long as a change takes, or until they are followed.
PASSING = {"payment_method_leases", "mirror_news"}


def found_in(text: str, marks: set[str]) -> list[str]:
    return [mark for mark in marks if mark in text]


def host_of(twin: Twin) -> str:
    return twin.origin.removeprefix("http://")


async def starts_of(twin: Twin, who: str) -> list[str]:
    """Every GET of the route table with one's own ids and with one that never was."""
    ids = await ids_of(twin, who or "ada")
    paths = [key.split(" ")[1].format_map(ids) for key in TABLE if key.startswith("GET ")]
    return [
        *paths,
        f"/subscriptions/{ids['subscription_id']}/change/review?price={twin.shop.prices['scale']}",
        "/subscriptions/sub_nobody",
        "/no-such-page",
        "/assets/pictures/none",
        "/webhooks/stripe",
        "/health/ready",
        "/invoices?after=no-such-key",
        f"/sign-in/{twin.provider.id}/callback?error=access_denied&state=x",
    ]


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("who", ["", *PEOPLE])
async def test_a_crawl_of_one_twin_shows_no_mark_of_the_other(
    twins: Twins, server: Server, who: str, language: str
) -> None:
    own, marks = twins.left, await marks_of(twins.right, twins.left)
    session = await own.session(who) if who else ""
    seen = []
    async with server.client(host_of(own), session, language) as client:
        if who:
            # Their own choice counts more than what the browser asks for.
            await client.get(f"/language/{language}")
        starts = await starts_of(own, who)
        async for page in crawl(client, own.origin, starts, documents=language == "en"):
            assert not found_in(page.text, marks), page.path
            seen.append(page)
    assert max(page.status for page in seen) < 500
    assert {page.path for page in seen} - set(starts)
    assert any(f'<html lang="{language}"' in page.text for page in seen)
    # Each page of the portal is the twin's own, the refusals too.
    pages = [page for page in seen if "<html" in page.text]
    assert [page.path for page in pages if own.mark.title() not in page.text] == []
    if who:
        assert {200, 303, 404} <= {page.status for page in seen}


@pytest.mark.parametrize("key", [key for key in TABLE if key.startswith("POST ")])
async def test_a_refused_form_shows_no_mark_of_the_other(twins: Twins, key: str) -> None:
    marks = await marks_of(twins.right, twins.left)
    path = key.split(" ")[1].format_map(await ids_of(twins.left, "ada"))
    async with twins.left.browser("ada") as ada:
        for form in ({}, {"csrf": "x"}):
            assert not found_in(as_text(await ada.post(path, form)), marks)


async def test_what_a_provider_keeps_for_one_twin_shows_no_mark_of_the_other(
    twins: Twins, server: Server
) -> None:
    marks = await marks_of(twins.right, twins.left)
    ids = await ids_of(twins.left, "ada")
    session = await twins.left.session("ada")
    async with (
        server.client(host_of(twins.left), session) as client,
        httpx.AsyncClient(trust_env=False) as elsewhere,
    ):
        for document in ("pdf", "receipt"):
            answer = await client.get(f"/invoices/{ids['invoice_id']}/{document}")
            shown = await elsewhere.get(answer.headers["location"])
            assert shown.status_code == 200
            assert not found_in(as_text(shown), marks)


async def test_requests_of_both_twins_at_the_same_time_do_not_mix(
    twins: Twins, server: Server
) -> None:
    pair = (twins.left, twins.right)
    marks = {
        twins.left.mark: await marks_of(twins.right, twins.left),
        twins.right.mark: await marks_of(twins.left, twins.right),
    }

    async def visit(twin: Twin, who: str, language: str) -> int:
        session = await twin.session(who) if who else ""
        async with server.client(host_of(twin), session, language) as client:
            paths = ("/", "/invoices", "/no-such-page", "/sign-in", "/")
            for answer in await asyncio.gather(*(client.get(path) for path in paths)):
                text = as_text(answer)
                assert not found_in(text, marks[twin.mark])
                assert answer.status_code == 303 or twin.mark.title() in text
                assert who or answer.status_code == 303 or f'<html lang="{language}"' in text
            return len(paths)

    visits = [
        visit(twin, who, language)
        for who in ("", "ada", "grace")
        for language in ("en", "fr")
        for twin in pair
    ]
    assert sum(await asyncio.gather(*visits)) == 60


async def test_each_log_line_is_about_one_twin_and_holds_nothing_private(
    twins: Twins, server: Server
) -> None:
    before, sessions = len(server.log.read_text()), {}
    for twin in (twins.left, twins.right):
        sessions[twin.mark] = await twin.session("ada")
        async with server.client(host_of(twin), sessions[twin.mark]) as client:
            for path in await starts_of(twin, "ada"):
                await client.get(path)
    log = server.log.read_text()[before:]
    lines = [json.loads(line) for line in log.splitlines()]
    for twin, other in ((twins.left, twins.right), (twins.right, twins.left)):
        marks = await marks_of(other, twin)
        own = [line for line in lines if line.get("tenant") == twin.mark]
        assert len(own) >= len(TABLE) / 2
        assert not [line for line in own if found_in(json.dumps(line), marks)]
    private = [*sessions.values(), "Lovelace", "@", "sk_test_", "whsec_", "secret-of-", "state="]
    assert [it for it in private if it in log] == []
    # A line without a tenant is about the process or a host that is nobody's.
    stray = [line for line in lines if not line.get("tenant")]
    assert not found_in(json.dumps(stray), {twins.left.mark, twins.right.mark})


async def test_metrics_name_no_tenant(twins: Twins) -> None:
    for twin in (twins.left, twins.right):
        async with twin.browser("ada") as ada:
            assert (await ada.get("/")).status_code == 200
    text = generate_latest().decode()
    assert 'guichet_requests_total{door="portal",method="GET",status="200"}' in text
    marks = await marks_of(twins.left, twins.right) | await marks_of(twins.right, twins.left)
    assert not found_in(text, marks)


async def test_the_rows_of_one_twin_show_no_mark_of_the_other(twins: Twins) -> None:
    for twin, other in ((twins.left, twins.right), (twins.right, twins.left)):
        rows, marks = await rows_of(twin), await marks_of(other, twin)
        # What PostgreSQL shows of bytes is hexadecimal.
        marks |= {mark.encode().hex() for mark in marks}
        assert {table for table in rows if not rows[table]} <= PASSING
        for table, texts in rows.items():
            assert not found_in("\n".join(texts), marks), table


async def test_asking_for_the_others_rows_by_name_finds_none(twins: Twins) -> None:
    """The first wall, `tenant_id = $1`, is left out and even turned against the tenant."""
    left, right = twins.left, twins.right
    async with twins.deployment.db.unit(left.tenant_id) as unit:
        for table in await _tenant_tables(unit.connection):
            counted = await unit.connection.fetchval(
                f'select count(1) from "{table}" where tenant_id = $1', right.tenant_id
            )
            assert counted == 0, table


async def test_without_a_tenant_there_are_no_rows(twins: Twins, shared_settings: Settings) -> None:
    connection = await asyncpg.connect(shared_settings.database_url)
    try:
        rows = await readable_rows(connection)
    finally:
        await connection.close()
    assert {table for table, texts in rows.items() if texts} == WITHOUT_ROWS


async def test_a_row_cannot_be_written_into_the_other_twin(twins: Twins) -> None:
    left, right = twins.left, twins.right
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with twins.deployment.db.unit(left.tenant_id) as unit:
            await unit.execute(
                "insert into preferences (tenant_id, customer_id, locale) values ($1, $2, 'fr')",
                right.tenant_id,
                right.customers["ada"],
            )
    async with twins.deployment.db.unit(left.tenant_id) as unit:
        for table in await _tenant_tables(unit.connection):
            if re.search("_documents$|^tenants$|^audit_log$", table):
                continue
            done = await _delete(unit.connection, table, right)
            assert done in ("DELETE 0", "not allowed"), table


async def _delete(connection: Any, table: str, twin: Twin) -> str:
    try:
        async with connection.transaction():
            done: str = await connection.execute(
                f'delete from "{table}" where tenant_id = $1', twin.tenant_id
            )
            return done
    except asyncpg.InsufficientPrivilegeError:
        return "not allowed"


async def _tenant_tables(connection: Any) -> list[str]:
    rows = await connection.fetch(
        """
        select relation.relname as name
        from pg_class as relation
        join pg_attribute as attribute
          on attribute.attrelid = relation.oid
          and attribute.attname = 'tenant_id'
        where relation.relnamespace = 'public'::regnamespace
        and relation.relkind in ('r', 'p', 'v')
        and has_table_privilege(relation.oid, 'select')
        """
    )
    assert len(rows) > 15
    return [row["name"] for row in rows]


async def test_what_one_twin_writes_is_no_news_of_the_other(twins: Twins) -> None:
    left, right = twins.left, twins.right
    async with left.shop.deployment.db.unit(right.tenant_id) as unit:
        before = await unit.fetchval("select count(*) from mirror_news")
    async with left.shop.deployment.db.unit(left.tenant_id) as unit:
        own = await unit.fetchval("select count(*) from mirror_news")
        written = await unit.fetchval(
            """
            with written as (
              update invoices
              set attempt_count = attempt_count + 1
              where id = any($1::text[])
              returning tenant_id
            )
            select array_agg(distinct tenant_id)
            from written
            """,
            [(await ids_of(twin, "ada"))["invoice_id"] for twin in (left, right)],
        )
        assert written == [left.tenant_id]
        assert await unit.fetchval("select count(*) from mirror_news") == own + 1
        await unit.execute(
            "update invoices set attempt_count = attempt_count - 1 where id = $1",
            (await ids_of(left, "ada"))["invoice_id"],
        )
    async with left.shop.deployment.db.unit(right.tenant_id) as unit:
        assert await unit.fetchval("select count(*) from mirror_news") == before
