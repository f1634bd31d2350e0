"""A sign-in is bound to its browser, tenant and provider, happens once, and leaves nothing half."""

import asyncio
from typing import Any
from uuid import UUID

import msgspec
import pytest

from guichet.auth.failures import (
    EmailMissing,
    EmailNotVerified,
    NoAccount,
    SignInExpired,
)
from guichet.auth.oidc import Callback
from guichet.auth.sessions import find_session, new_token
from guichet.db import Database
from tenants.identity_providers import IdentityProvider
from tests.auth.conftest import Asked, Browser, Merchants, add_customer, count_sessions
from tests.auth.hostile_provider import HostileProvider


async def customer_of(db: Database, tenant_id: UUID, token: str) -> str | None:
    async with db.unit(tenant_id) as unit:
        session = await find_session(unit, token)
        return None if session is None else session.customer_id


async def audit_rows(db: Database, tenant_id: UUID) -> list[dict[str, Any]]:
    async with db.unit(tenant_id) as unit:
        rows = await unit.fetch(
            """
            select actor_kind, actor, action, object, details::text, request_id
            from audit_log
            where tenant_id = $1
            order by at
            """,
            tenant_id,
        )
        return [dict(row) for row in rows]


async def test_a_callback_in_another_browser_is_refused(ada: Browser, db: Database) -> None:
    await ada.start()
    callback = await ada.consent()
    thief = Browser(ada.sign_in, ada.provider, ada.visitor.tenant_id)
    for browser in (None, new_token()):
        thief.visitor = msgspec.structs.replace(thief.visitor, browser=browser)
        with pytest.raises(SignInExpired):
            await thief.finish(callback)
    # The one who began it can still finish: nobody else used it up.
    assert (await ada.finish(callback)).token
    assert await count_sessions(db, ada.visitor.tenant_id) == 1


async def test_a_callback_works_once_even_when_sent_twice_at_the_same_time(
    ada: Browser, hostile: HostileProvider, db: Database
) -> None:
    await ada.start()
    callback = await ada.consent()
    results = await asyncio.gather(
        *(ada.finish(callback) for _ in range(5)), return_exceptions=True
    )
    assert sum(isinstance(result, SignInExpired) for result in results) == 4
    assert await count_sessions(db, ada.visitor.tenant_id) == 1
    assert len(hostile.token_requests) == 1


async def test_a_code_replayed_with_a_fresh_state_is_refused(
    ada: Browser, hostile: HostileProvider
) -> None:
    await ada.start()
    used = await ada.consent()
    await ada.finish(used)
    await ada.start()
    fresh = await ada.consent()
    with pytest.raises(SignInExpired):
        await ada.finish(msgspec.structs.replace(fresh, code=used.code))


@pytest.mark.parametrize("state", ["", "x", "\0", "A" * 5000, "é"])
async def test_a_state_that_was_never_given_out_is_refused(ada: Browser, state: str) -> None:
    await ada.start()
    with pytest.raises(SignInExpired):
        await ada.finish(Callback(state=state, code="x"))


async def test_a_callback_of_one_merchant_is_worth_nothing_at_another(
    ada: Browser, merchants: Merchants, db: Database
) -> None:
    await add_customer(db, merchants.marmite, "cus_twin", "ada@example.com")
    await ada.start()
    callback = await ada.consent()
    elsewhere = Browser(ada.sign_in, ada.provider, merchants.marmite)
    elsewhere.visitor = msgspec.structs.replace(elsewhere.visitor, browser=ada.visitor.browser)
    with pytest.raises(SignInExpired):
        await elsewhere.finish(callback)
    assert await count_sessions(db, merchants.marmite) == 0


async def test_a_callback_of_one_provider_is_refused_at_another(
    ada: Browser, hostile: HostileProvider
) -> None:
    # Mix-up (RFC 9700 section 4.4): an honest provider's code must not be sent to a hostile one.
    with HostileProvider() as attacker:
        await ada.start()
        callback = await ada.consent()
        ada.provider = IdentityProvider("other", "Other", attacker.issuer, attacker.client_id)
        with pytest.raises(SignInExpired):
            await ada.finish(callback)
        assert attacker.requests == []
    assert hostile.token_requests == []


async def test_an_attempt_ends_after_ten_minutes_and_is_swept_away(
    ada: Browser, db: Database, merchants: Merchants
) -> None:
    await ada.start()
    callback = await ada.consent()
    async with db.unit(merchants.lumen) as unit:
        left = await unit.fetchval(
            "select expires_at - now() from sign_in_attempts where tenant_id = $1", merchants.lumen
        )
        assert 590 < left.total_seconds() <= 600
        # The application may not change an attempt, so it is begun again in the past.
        await unit.execute(
            """
            with begun as (
              delete from sign_in_attempts
              where tenant_id = $1
              returning
                tenant_id, state_hash, browser_hash, provider, nonce, code_verifier, next_path
            )
            insert into sign_in_attempts (
              tenant_id, state_hash, browser_hash, provider, nonce, code_verifier, next_path,
              expires_at
            )
            select
              tenant_id, state_hash, browser_hash, provider, nonce, code_verifier, next_path,
              now() - interval '1 second'
            from begun
            """,
            merchants.lumen,
        )
    with pytest.raises(SignInExpired):
        await ada.finish(callback)
    await ada.start()
    async with db.unit(merchants.lumen) as unit:
        kept = await unit.fetchval(
            "select count(*) from sign_in_attempts where tenant_id = $1", merchants.lumen
        )
    assert kept == 1


async def test_nothing_that_could_be_replayed_is_stored(ada: Browser, db: Database) -> None:
    await ada.start()
    callback = await ada.consent()
    async with db.unit(ada.visitor.tenant_id) as unit:
        stored = await unit.fetchval("select sign_in_attempts::text from sign_in_attempts")
    assert callback.state not in stored
    assert str(ada.visitor.browser) not in stored
    finished = await ada.finish(callback)
    async with db.unit(ada.visitor.tenant_id) as unit:
        stored = await unit.fetchval("select sessions::text from sessions")
    assert finished.token not in stored


async def test_a_session_planted_before_the_sign_in_is_worth_nothing_after_it(
    ada: Browser, db: Database, merchants: Merchants
) -> None:
    first = await ada.enter()
    second = await ada.enter()
    assert first.token != second.token
    assert await customer_of(db, merchants.lumen, first.token) is None
    assert await customer_of(db, merchants.lumen, second.token) == "cus_ada"
    # A token that the visitor made up is not adopted.
    planted = new_token()
    ada.visitor = msgspec.structs.replace(ada.visitor, session=planted)
    third = await ada.enter()
    assert third.token != planted
    assert await customer_of(db, merchants.lumen, planted) is None


async def test_signing_in_and_out_is_written_in_the_audit_log(
    ada: Browser, db: Database, merchants: Merchants
) -> None:
    finished = await ada.enter()
    await ada.sign_in.sign_out(ada.visitor)
    await ada.sign_in.sign_out(ada.visitor)
    assert await customer_of(db, merchants.lumen, finished.token) is None
    rows = await audit_rows(db, merchants.lumen)
    assert [row["action"] for row in rows] == ["customer.signed_in", "customer.signed_out"]
    assert {(row["actor_kind"], row["actor"], row["request_id"]) for row in rows} == {
        ("customer", "cus_ada", "r1")
    }
    assert finished.token not in str(rows)


async def test_signing_out_at_one_merchant_leaves_the_other_alone(
    ada: Browser, db: Database, merchants: Merchants
) -> None:
    finished = await ada.enter()
    elsewhere = msgspec.structs.replace(ada.visitor, tenant_id=merchants.marmite)
    await ada.sign_in.sign_out(elsewhere)
    assert await customer_of(db, merchants.lumen, finished.token) == "cus_ada"


async def test_nobody_found_creates_nothing(
    ada: Browser, hostile: HostileProvider, asked: Asked, db: Database, merchants: Merchants
) -> None:
    hostile.user |= {"sub": "zoe-1", "email": "zoe@example.com"}
    with pytest.raises(NoAccount) as failure:
        await ada.enter()
    assert failure.value.email == "zoe@example.com"
    assert asked.emails == ["zoe@example.com"]
    assert await count_sessions(db, merchants.lumen) == 0
    async with db.unit(merchants.lumen) as unit:
        assert await unit.fetchval("select count(*) from identities") == 0
        assert await unit.fetchval("select count(*) from customers") == 1


async def test_a_customer_whom_the_mirror_lacks_is_brought_from_the_provider(
    ada: Browser, hostile: HostileProvider, asked: Asked, db: Database, merchants: Merchants
) -> None:
    hostile.user |= {"sub": "zoe-1", "email": "zoe@example.com"}
    asked.brings.append(("cus_zoe", "Zoe@Example.com"))
    finished = await ada.enter()
    assert await customer_of(db, merchants.lumen, finished.token) == "cus_zoe"


@pytest.mark.parametrize("verified", [None, False, "false", "TRUE", ""])
async def test_an_unverified_email_never_links(
    ada: Browser, hostile: HostileProvider, asked: Asked, db: Database, verified: object
) -> None:
    hostile.user["email_verified"] = verified
    with pytest.raises(EmailNotVerified):
        await ada.enter()
    assert asked.emails == []
    assert await count_sessions(db, ada.visitor.tenant_id) == 0


@pytest.mark.parametrize("email", [None, ""])
async def test_a_sign_in_without_an_email_says_so(
    ada: Browser, hostile: HostileProvider, email: str | None
) -> None:
    hostile.user["email"] = email
    with pytest.raises(EmailMissing):
        await ada.enter()
