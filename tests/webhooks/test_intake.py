"""Deliveries: verified, stored once, answered after the commit; anything else refused."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import msgspec
import pytest
from prometheus_client import REGISTRY

from guichet.db import Database
from guichet.outbox import Outbox, open_outbox
from guichet.payments.choose import WEBHOOK_SECRET
from guichet.settings import Settings
from guichet.webhooks.intake import MAX_BODY_BYTES, EventIntake
from tenants.vault import Vault
from tests.databases import DatabaseUrls
from tests.deliveries import body_of, chunks, entry, headers, signature
from tests.shops import SIGNING_SECRET, set_secret


@pytest.fixture
async def outbox(redis_url: str) -> AsyncIterator[Outbox]:
    async with open_outbox(redis_url) as outbox:
        yield outbox


@pytest.fixture
def intake(settings_without_sandbox: Settings, db: Database, outbox: Outbox) -> EventIntake:
    return EventIntake(db, Vault(settings_without_sandbox.master_keys), outbox)


async def _rows(db: Database, tenant: UUID) -> list[asyncpg.Record]:
    async with db.unit(tenant) as unit:
        return await unit.fetch(
            """
            select id, type, object_id, created_at, body, handled_at
            from provider_events
            where tenant_id = $1
            order by id
            """,
            tenant,
        )


def _refusals(reason: str) -> float:
    value = REGISTRY.get_sample_value("guichet_events_refused_total", {"reason": reason})
    return value or 0.0


async def test_a_delivery_is_stored_as_it_came(
    intake: EventIntake, db: Database, tenant: UUID
) -> None:
    body = body_of(7, "customer.updated", id="cus_1", object="customer")
    assert await intake.receive(entry(tenant), headers(body), chunks(body)) == 200
    [row] = await _rows(db, tenant)
    assert (row["id"], row["type"], row["object_id"]) == ("evt_000007", "customer.updated", "cus_1")
    assert row["created_at"].timestamp() == 1_790_000_007
    assert row["body"] == body
    assert row["handled_at"] is None


async def test_a_delivery_that_comes_again_is_stored_once(
    intake: EventIntake, db: Database, tenant: UUID
) -> None:
    body = body_of()
    for _ in range(3):
        assert await intake.receive(entry(tenant), headers(body), chunks(body)) == 200
    again = [intake.receive(entry(tenant), headers(body), chunks(body)) for _ in range(20)]
    assert set(await asyncio.gather(*again)) == {200}
    assert len(await _rows(db, tenant)) == 1


async def test_a_delivery_may_come_in_any_number_of_pieces(
    intake: EventIntake, db: Database, tenant: UUID
) -> None:
    body = body_of()
    assert await intake.receive(entry(tenant), headers(body), chunks(body, 3)) == 200
    assert (await _rows(db, tenant))[0]["body"] == body


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"secret": "whsec_other"}, "bad_signature"),
        ({"at": 1_500_000_000}, "bad_signature"),
        ({"at": 4_000_000_000}, "bad_signature"),
    ],
)
async def test_a_wrong_signature_is_refused_and_counted(
    intake: EventIntake, db: Database, tenant: UUID, how: dict[str, object], reason: str
) -> None:
    before = _refusals(reason)
    body = body_of()
    assert await intake.receive(entry(tenant), headers(body, **how), chunks(body)) == 400
    assert await _rows(db, tenant) == []
    assert _refusals(reason) == before + 1


async def test_a_delivery_without_or_with_two_signatures_is_refused(
    intake: EventIntake, tenant: UUID
) -> None:
    body = body_of()
    assert await intake.receive(entry(tenant), [], chunks(body)) == 400
    twice = [*headers(body), (b"stripe-signature", signature(body).encode())]
    assert await intake.receive(entry(tenant), twice, chunks(body)) == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        body_of().replace(b'"evt_000001"', b"null"),
        body_of().replace(b'"evt_000001"', b'""'),
        body_of().replace(b'"evt_000001"', b'"evt\\u0000"'),
        body_of().replace(b'"prod_1"', b'"prod\\u00001"'),
        body_of().replace(b'"evt_000001"', b'"' + b"e" * 300 + b'"'),
        body_of().replace(b"1790000001", b"-1"),
        body_of().replace(b"1790000001", b"999999999999999999"),
        b'{"id":"evt_1","type":"a","created":1}',
    ],
)
async def test_a_signed_body_that_is_no_event_is_refused(
    intake: EventIntake, db: Database, tenant: UUID, body: bytes
) -> None:
    assert await intake.receive(entry(tenant), headers(body), chunks(body)) == 400
    assert await _rows(db, tenant) == []


async def test_an_event_about_something_without_an_id_is_stored(
    intake: EventIntake, db: Database, tenant: UUID
) -> None:
    body = body_of(1, "invoice.upcoming", object="invoice")
    assert await intake.receive(entry(tenant), headers(body), chunks(body)) == 200
    assert (await _rows(db, tenant))[0]["object_id"] is None


async def test_a_body_of_one_mebibyte_is_taken_and_one_more_byte_is_not(
    intake: EventIntake, db: Database, tenant: UUID
) -> None:
    padding = MAX_BODY_BYTES - len(body_of(1, "product.updated", object="product", padding=""))
    body = body_of(1, "product.updated", object="product", padding="x" * padding)
    assert len(body) == MAX_BODY_BYTES
    assert await intake.receive(entry(tenant), headers(body), chunks(body)) == 200
    body += b" "
    assert await intake.receive(entry(tenant), headers(body), chunks(body)) == 413
    assert len(await _rows(db, tenant)) == 1


async def test_a_body_that_says_it_is_too_large_is_not_read(
    intake: EventIntake, tenant: UUID
) -> None:
    taken = []

    async def watched() -> AsyncIterator[bytes]:
        taken.append(1)
        yield b"x"

    declared = [(b"content-length", b"1048577"), (b"stripe-signature", b"t=1,v1=0")]
    assert await intake.receive(entry(tenant), declared, watched()) == 413
    assert taken == []


async def test_a_body_without_a_declared_length_is_read_no_further_than_the_limit(
    intake: EventIntake, tenant: UUID
) -> None:
    taken = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            taken.append(65536)
            yield b"x" * 65536

    status = await intake.receive(entry(tenant), [(b"stripe-signature", b"t=1,v1=0")], endless())
    assert status == 413
    assert sum(taken) <= MAX_BODY_BYTES + 65536


async def test_a_suspended_tenant_s_deliveries_are_refused(
    intake: EventIntake, db: Database, tenant: UUID
) -> None:
    body = body_of()
    suspended = entry(tenant, status="suspended")
    assert await intake.receive(suspended, headers(body), chunks(body)) == 403
    assert await _rows(db, tenant) == []


async def test_a_tenant_s_secret_signs_for_no_other_tenant(
    intake: EventIntake, db: Database, tenant: UUID
) -> None:
    body = body_of()
    other = UUID(int=5)
    assert await intake.receive(entry(tenant), headers(body), chunks(body)) == 200
    assert await intake.receive(entry(other), headers(body), chunks(body)) == 400
    assert await _rows(db, other) == []


async def test_a_replaced_secret_holds_from_the_tenant_s_next_change_on(
    intake: EventIntake, settings_without_sandbox: Settings, db: Database, tenant: UUID
) -> None:
    body = body_of()
    assert await intake.receive(entry(tenant, 1), headers(body), chunks(body)) == 200
    await set_secret(settings_without_sandbox, db, tenant, WEBHOOK_SECRET, "whsec_replaced")
    new = headers(body, secret="whsec_replaced")
    assert await intake.receive(entry(tenant, 2), new, chunks(body)) == 200
    assert await intake.receive(entry(tenant, 2), headers(body), chunks(body)) == 400


async def test_no_answer_says_yes_before_the_commit(
    intake: EventIntake, database_urls: DatabaseUrls, db: Database, tenant: UUID
) -> None:
    body = body_of()
    assert await intake.receive(entry(tenant), headers(body), chunks(body)) == 200
    owner = await asyncpg.connect(database_urls.owner)
    try:
        async with owner.transaction():
            await owner.execute("lock table provider_events in share mode")
            second = body_of(2)
            answer = asyncio.create_task(
                intake.receive(entry(tenant), headers(second), chunks(second))
            )
            await asyncio.sleep(0.2)
            assert not answer.done()
        assert await answer == 200
    finally:
        await owner.close()
    assert len(await _rows(db, tenant)) == 2


async def test_what_cannot_be_stored_is_not_acknowledged(
    intake: EventIntake, database_urls: DatabaseUrls, tenant: UUID
) -> None:
    body = body_of()
    assert await intake.receive(entry(tenant), headers(body), chunks(body)) == 200
    owner = await asyncpg.connect(database_urls.owner)
    await owner.execute("alter table provider_events rename to provider_events_away")
    second = body_of(2)
    assert await intake.receive(entry(tenant), headers(second), chunks(second)) == 503
    await owner.execute("alter table provider_events_away rename to provider_events")
    await owner.close()
    assert await intake.receive(entry(tenant), headers(second), chunks(second)) == 200


async def test_with_redis_away_deliveries_are_still_taken(
    settings_without_sandbox: Settings, db: Database, tenant: UUID
) -> None:
    body = body_of()
    async with open_outbox("redis://127.0.0.1:1") as away:
        intake = EventIntake(db, Vault(settings_without_sandbox.master_keys), away)
        assert await intake.receive(entry(tenant), headers(body), chunks(body)) == 200
    assert len(await _rows(db, tenant)) == 1


def test_the_signing_secret_is_no_example_of_stripe_s() -> None:
    assert msgspec.json.decode(body_of())["id"].startswith("evt_")
    assert SIGNING_SECRET.startswith("whsec_")
