"""Sessions live on the server: they end when told to, and with their tenant's word only."""

from datetime import timedelta
from uuid import UUID

import pytest

from guichet.auth.devices import device_label
from guichet.auth.sessions import (
    find_session,
    is_token,
    new_token,
    open_session,
    revoke,
    revoke_all,
    revoke_one,
    token_hash,
)
from guichet.db import Database
from tests.auth.conftest import Merchants, add_customer, count_sessions


@pytest.fixture
async def lumen(db: Database, merchants: Merchants) -> UUID:
    await add_customer(db, merchants.lumen, "cus_ada", "ada@example.com")
    await add_customer(db, merchants.lumen, "cus_grace", "grace@example.com")
    return merchants.lumen


async def opened(db: Database, tenant_id: UUID, customer_id: str = "cus_ada") -> str:
    async with db.unit(tenant_id) as unit:
        return await open_session(unit, customer_id, "work", "Firefox, Linux")


async def lives(db: Database, tenant_id: UUID, token: str) -> bool:
    async with db.unit(tenant_id) as unit:
        return await find_session(unit, token) is not None


async def set_back(db: Database, tenant_id: UUID, **ages: timedelta) -> None:
    """Move times of all of a tenant's sessions into the past."""
    async with db.unit(tenant_id) as unit:
        await unit.execute(
            """
            update sessions
            set created_at = created_at - $2::interval,
              seen_at = seen_at - $3::interval,
              expires_at = expires_at - $4::interval
            where tenant_id = $1
            """,
            tenant_id,
            ages.get("created", timedelta()),
            ages.get("seen", timedelta()),
            ages.get("expires", timedelta()),
        )


async def time_left(db: Database, tenant_id: UUID) -> timedelta:
    async with db.unit(tenant_id) as unit:
        left: timedelta = await unit.fetchval(
            "select expires_at - now() from sessions where tenant_id = $1", tenant_id
        )
        return left


async def test_a_session_tells_who_it_is(db: Database, lumen: UUID) -> None:
    token = await opened(db, lumen)
    async with db.unit(lumen) as unit:
        await unit.execute(
            "insert into preferences (tenant_id, customer_id, locale) values ($1, $2, 'fr')",
            lumen,
            "cus_ada",
        )
        session = await find_session(unit, token)
    assert session is not None
    assert (session.customer_id, session.customer_email) == ("cus_ada", "ada@example.com")
    assert session.locale == "fr"


async def test_another_tenants_cookie_opens_nothing(
    db: Database, merchants: Merchants, lumen: UUID
) -> None:
    token = await opened(db, lumen)
    await add_customer(db, merchants.marmite, "cus_ada", "ada@example.com")
    assert not await lives(db, merchants.marmite, token)
    async with db.unit(merchants.marmite) as unit:
        assert await revoke(unit, token) is None
        assert await revoke_all(unit, "cus_ada") == 0
    assert await lives(db, lumen, token)


async def test_home_and_the_other_pages_agree_on_who_is_signed_in(
    db: Database, lumen: UUID
) -> None:
    token = await opened(db, lumen)
    sql = "select portal_home($1, $2)"
    assert await db.read(sql, lumen, token_hash(token)) is not None
    await set_back(db, lumen, expires=timedelta(days=8))
    assert await db.read(sql, lumen, token_hash(token)) is None
    assert not await lives(db, lumen, token)


async def test_a_session_that_is_used_lives_on_and_one_that_is_not_ends(
    db: Database, lumen: UUID
) -> None:
    token = await opened(db, lumen)
    await set_back(db, lumen, seen=timedelta(days=6), expires=timedelta(days=6))
    assert timedelta(hours=23) < await time_left(db, lumen) <= timedelta(days=1)
    assert await lives(db, lumen, token)
    assert timedelta(days=6, hours=23) < await time_left(db, lumen) <= timedelta(days=7)
    await set_back(db, lumen, seen=timedelta(days=7), expires=timedelta(days=7))
    assert not await lives(db, lumen, token)
    assert await time_left(db, lumen) <= timedelta()


async def test_no_session_outlives_thirty_days_however_much_it_is_used(
    db: Database, lumen: UUID
) -> None:
    token = await opened(db, lumen)
    await set_back(db, lumen, created=timedelta(days=29), seen=timedelta(days=1))
    for read in (
        lives(db, lumen, token),
        db.read("select portal_home($1, $2)", lumen, token_hash(token)),
    ):
        assert await read
        assert timedelta(hours=23) < await time_left(db, lumen) <= timedelta(days=1)
        await set_back(db, lumen, seen=timedelta(hours=1))


async def test_seeing_a_session_again_at_once_writes_nothing(db: Database, lumen: UUID) -> None:
    token = await opened(db, lumen)
    async with db.unit(lumen) as unit:
        before = await unit.fetchval("select xmin from sessions where tenant_id = $1", lumen)
    assert await lives(db, lumen, token)
    async with db.unit(lumen) as unit:
        after = await unit.fetchval("select xmin from sessions where tenant_id = $1", lumen)
    assert before == after


async def test_the_session_of_a_customer_who_was_deleted_is_dead(db: Database, lumen: UUID) -> None:
    token = await opened(db, lumen)
    async with db.unit(lumen) as unit:
        await unit.execute("update customers set deleted = true where tenant_id = $1", lumen)
    assert not await lives(db, lumen, token)


async def test_one_session_or_all_others_can_be_ended(db: Database, lumen: UUID) -> None:
    here, phone, laptop = [await opened(db, lumen) for _ in range(3)]
    of_grace = await opened(db, lumen, "cus_grace")
    async with db.unit(lumen) as unit:
        kept = await find_session(unit, here)
        ended = await find_session(unit, phone)
        assert kept is not None
        assert ended is not None
        assert not await revoke_one(unit, "cus_grace", ended.id)
        assert await revoke_one(unit, "cus_ada", ended.id)
        assert not await revoke_one(unit, "cus_ada", ended.id)
        assert await revoke_all(unit, "cus_ada", keep=kept.id) == 1
    alive = [await lives(db, lumen, token) for token in (here, phone, laptop, of_grace)]
    assert alive == [True, False, False, True]
    async with db.unit(lumen) as unit:
        assert await revoke_all(unit, "cus_ada") == 1
    assert not await lives(db, lumen, here)


async def test_sessions_long_gone_leave_at_the_next_sign_in(db: Database, lumen: UUID) -> None:
    await opened(db, lumen)
    await opened(db, lumen, "cus_grace")
    await set_back(db, lumen, expires=timedelta(days=98))
    await opened(db, lumen)
    assert await count_sessions(db, lumen) == 2


@pytest.mark.parametrize(
    "token", ["", "x", "A" * 42, "A" * 44, "A" * 42 + "\n", "é" * 43, "A" * 42 + "="]
)
async def test_what_has_not_the_form_of_a_token_is_not_looked_up(
    db: Database, lumen: UUID, token: str
) -> None:
    assert not is_token(token)
    assert not await lives(db, lumen, token)


def test_tokens_are_new_each_time() -> None:
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(map(is_token, tokens))


EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
)


@pytest.mark.parametrize(
    ("user_agent", "label"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
            "Firefox, Linux",
        ),
        (EDGE, "Edge, Windows"),
        (IPHONE, "Safari, iPhone"),
        ("<script>alert(1)</script>" * 1000, ""),
        ("", ""),
    ],
)
def test_a_device_is_called_by_our_own_words(user_agent: str, label: str) -> None:
    assert device_label(user_agent) == label
