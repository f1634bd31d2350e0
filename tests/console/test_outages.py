"""The console while something it needs is slow or away, and buttons that are pressed again.

A page says plainly that it did not work, within its bound; what is done is done once, and what was
typed is not lost.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import httpx
import msgspec
import pytest
from redis import Redis

from guichet.db import Database, Unit, connect
from guichet.edge.entrance import TIME_LIMIT_S
from guichet.payments.choose import SECRET_KEY
from guichet.settings import Settings
from tenants.configuration import load_published
from tenants.drafts import load_draft, lock_configuration
from tests.console.acts import ACTS
from tests.console.conftest import AsStaff
from tests.console.forms import Forms
from tests.console.people import MERCHANT, invite, link_of
from tests.console.secure import path_of
from tests.console.test_roles import TABLE
from tests.console.town import Town, open_town, post
from tests.cutting_proxy import CuttingProxy, proxy_before

#: No page takes longer: whoever waits for one is told by then.
BOUND_S = TIME_LIMIT_S + 10
PAGES = [
    path_of(key)
    for key, line in sorted(TABLE.items())
    if key.startswith("GET /merchants/") and line.status == 200
]


class Away(contextlib.AsyncExitStack):
    """A town whose ways to its servers are in the test's hand."""

    town: Town
    database: CuttingProxy
    redis: CuttingProxy
    stripe: CuttingProxy
    #: The same database, past the proxy.
    straight: Database
    #: Where tries are counted, past the proxy.
    counters: Redis


@pytest.fixture
async def away(settings: Settings) -> AsyncIterator[Away]:
    async with Away() as stack:
        stack.database, database = await stack.enter_async_context(
            proxy_before(settings.database_url)
        )
        stack.redis, redis = await stack.enter_async_context(proxy_before(settings.redis_url))
        stack.stripe, stripe = await stack.enter_async_context(proxy_before(settings.stripe_url))
        behind = msgspec.structs.replace(
            settings, database_url=database, redis_url=redis, stripe_url=stripe
        )
        stack.straight = await stack.enter_async_context(connect(settings.database_url, 1))
        stack.counters = stack.enter_context(Redis.from_url(settings.redis_url))
        stack.town = await stack.enter_async_context(open_town(behind))
        yield stack


async def enter(away: Away, who: str = "owner") -> httpx.AsyncClient:
    town = away.town
    session = await town.session(await town.hire(who))  # type: ignore[arg-type]
    return await away.enter_async_context(town.browser(session))


def is_plain(answer: httpx.Response) -> bool:
    """A page of the console for a person, that says nothing of what is behind it."""
    words = ("Traceback", "asyncpg", "Redis", "127.0.0.1", "TimeoutError")
    return "<html" in answer.text and not [it for it in words if it in answer.text]


# The database


async def test_without_a_database_each_page_says_so_and_is_back_with_it(away: Away) -> None:
    owner = await enter(away)
    away.database.refuse()
    for path in PAGES:
        answer = await owner.get(path)
        assert (path, answer.status_code, is_plain(answer)) == (path, 503, True)
    await away.database.listen()
    assert (await owner.get(f"{MERCHANT}/members")).status_code == 200


async def test_a_database_that_says_nothing_holds_no_page_for_ever(away: Away) -> None:
    owner = await enter(away)
    away.database.swallow()
    async with asyncio.timeout(BOUND_S):
        answers = await asyncio.gather(*(owner.get(path) for path in PAGES))
    away.database.flow()
    assert {answer.status_code for answer in answers} == {503}
    assert all(map(is_plain, answers))
    # Nothing of ours has to be started again.
    assert (await owner.get(f"{MERCHANT}/members")).status_code == 200


async def test_a_slow_database_makes_slow_pages_and_no_others(away: Away) -> None:
    owner = await enter(away)
    away.database.delay = 0.03
    async with asyncio.timeout(BOUND_S):
        for path in (MERCHANT, f"{MERCHANT}/publish", f"{MERCHANT}/members"):
            assert (await owner.get(path)).status_code == 200


@pytest.mark.parametrize("name", ACTS)
async def test_what_was_cut_off_anywhere_is_done_once_when_it_is_sent_again(
    away: Away, name: str
) -> None:
    """Each time a little later, until it is done before the cut."""
    act, town = ACTS[name], away.town
    client = await enter(away, act.who)
    path, form = await act.prepare(town)
    for milliseconds in range(5, 200, 8):
        away.database.delay = 0.002
        sent = asyncio.create_task(post(client, path, form))
        await asyncio.sleep(milliseconds / 1000)
        away.database.cut()
        answer = await sent
        away.database.delay = 0
        # There is a minute between these, as far as limits know.
        away.counters.flushall()
        assert answer.status_code in (303, 503), answer.text
        if await act.times(away.straight, town.lumen.id):
            break
    answer = await post(client, path, form)
    if answer.status_code == 503:
        # It had got one of the connections that were cut.
        answer = await post(client, path, form)
    assert answer.status_code in (303, 404, 409, 422), answer.text
    assert await act.times(away.straight, town.lumen.id) == 1


# Buttons


@pytest.mark.parametrize("name", ACTS)
async def test_a_double_click_and_the_way_back_do_it_once(
    town: Town, as_staff: AsStaff, name: str
) -> None:
    act, db = ACTS[name], town.deployment.db
    client = await as_staff(act.who)
    path, form = await act.prepare(town)
    answers = await asyncio.gather(*(post(client, path, form) for _ in range(2)))
    assert await act.times(db, town.lumen.id) == 1
    assert 303 in {answer.status_code for answer in answers}
    # The form as the browser shows it when one goes back.
    back = await post(client, path, form)
    assert await act.times(db, town.lumen.id) == 1
    assert {it.status_code for it in (*answers, back)} <= {303, 404, 409, 422}


@pytest.mark.parametrize("name", ["save", "publish", "discard", "roll back", "take up a version"])
async def test_of_two_clicks_that_wait_for_a_third_person_one_does_it(
    town: Town, as_staff: AsStaff, name: str
) -> None:
    act, db = ACTS[name], town.deployment.db
    client = await as_staff(act.who)
    path, form = await act.prepare(town)
    async with db.unit(town.lumen.id) as unit:
        await lock_configuration(unit.connection, unit.tenant_id)
        clicks = [asyncio.create_task(post(client, path, form)) for _ in range(2)]
        # Both, if the machine is fast enough: who waits too long for a lock is turned away.
        for _ in range(200):
            await asyncio.sleep(0.01)
            if await _waiting(unit) == len(clicks):
                break
    answers = [await click for click in clicks]
    assert {answer.status_code for answer in answers} <= {303, 409}
    assert await act.times(db, town.lumen.id) == 1


async def _waiting(unit: Unit) -> int:
    """How many transactions wait for a lock."""
    counted: int = await unit.fetchval(
        "select count(1) from pg_stat_activity where wait_event_type = 'Lock'"
    )
    return counted


# Redis, the provider, and identity providers


async def test_without_redis_the_console_stays_up_and_nobody_comes_in(away: Away) -> None:
    town = away.town
    owner = await enter(away)
    away.redis.refuse()
    for path in PAGES:
        assert (path, (await owner.get(path)).status_code) == (path, 200)
    for name in ("save", "publish", "claim a domain"):
        path, form = await ACTS[name].prepare(town)
        assert (await post(owner, path, form)).status_code == 303
    # What has to be counted is not done uncounted.
    refused = await invite(owner, "new@example.com")
    assert (refused.status_code, is_plain(refused)) == (503, True)
    assert await ACTS["invite"].times(away.straight, town.lumen.id) == 0
    await away.redis.listen()
    assert (await invite(owner, "new@example.com")).status_code == 303
    async with town.browser() as guest:
        away.redis.refuse()
        path = await link_of(town, "new@example.com")
        assert (await guest.get(path)).status_code == 503
        await away.redis.listen()
        assert (await post(guest, path)).status_code == 303


async def test_a_provider_that_says_nothing_is_told_of_and_nothing_is_done_twice(
    away: Away, stripe_key: str
) -> None:
    town, path = away.town, f"{MERCHANT}/connections/key"
    owner = await enter(away)
    away.stripe.swallow()
    async with asyncio.timeout(BOUND_S):
        answer = await post(owner, path, {"key": stripe_key})
    assert (answer.status_code, is_plain(answer)) == (503, True)
    async with town.deployment.db.unit(town.lumen.id) as unit:
        vault = town.deployment.vault
        assert await vault.open(unit.connection, town.lumen.id, SECRET_KEY) is None
    away.stripe.cut()
    away.stripe.flow()
    for _ in range(2):
        assert (await post(owner, path, {"key": stripe_key})).status_code == 303
    provider = await town.deployment.providers.client(town.lumen.id)
    assert len(await provider.list_endpoints()) == 1


@pytest.fixture
def silent() -> Iterator[str]:
    """An issuer that takes every connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


async def test_a_silent_identity_provider_holds_nobody_for_ever(
    settings: Settings, silent: str
) -> None:
    known = msgspec.structs.replace(
        settings, staff_oidc_issuer=silent, staff_oidc_client_id="guichet"
    )
    async with open_town(known) as town, town.browser() as nobody:
        async with town.browser(await town.session(await town.hire("owner"))) as owner:
            page = await owner.get(f"{MERCHANT}/sign-in-providers?add=custom")
            row = {"id": "work", "label": "Work", "issuer": silent, "client_id": "guichet"}
            row |= {"scopes": "openid, email", "endpoint_hosts": ""}
            form = {f"identity_providers[0].{name}": text for name, text in row.items()}
            form["seen"] = Forms(page.text).by_action[""]["seen"]
            assert (await post(owner, f"{MERCHANT}/sign-in-providers", form)).status_code == 303
            async with asyncio.timeout(BOUND_S):
                started, tried, checked = await asyncio.gather(
                    nobody.get("/sign-in/oidc"),
                    owner.get(f"{MERCHANT}/sign-in-providers/work/try"),
                    post(owner, f"{MERCHANT}/sign-in-providers/work/check"),
                )
        assert (started.status_code, tried.status_code, checked.status_code) == (503, 503, 200)
        assert is_plain(started)
        assert is_plain(tried)


async def test_what_was_typed_is_in_the_draft_when_the_database_is_back(away: Away) -> None:
    town = away.town
    owner = await enter(away)
    path, form = await ACTS["save"].prepare(town)
    away.database.refuse()
    lost = await post(owner, path, form, headers={"x-autosave": "1"})
    # A page and no JSON that tells of mistakes: the script keeps what was typed and tries again.
    assert (lost.status_code, is_plain(lost)) == (503, True)
    await away.database.listen()
    kept = await post(owner, path, form, headers={"x-autosave": "1"})
    assert kept.json()["saved"]
    async with town.deployment.db.unit(town.lumen.id) as unit:
        draft = await load_draft(unit.connection, unit.tenant_id)
        published = await load_published(unit.connection, unit.tenant_id)
    assert draft.configuration.cancel.when == "now"
    assert published.configuration.cancel.when != "now"
