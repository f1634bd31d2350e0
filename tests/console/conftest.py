"""The console on real servers, people in every role, and a shop for the merchant."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import httpx
import pytest

from guichet.payments.choose import SECRET_KEY, WEBHOOK_SECRET
from guichet.settings import Settings
from tests.auth.hostile_provider import HostileProvider
from tests.console.provider_forms import SECRET
from tests.console.town import Town, Who, open_town
from tests.shops import SIGNING_SECRET, Shop, open_shop, set_secret

#: Answers a browser: `await as_staff("admin")`, or `await as_staff(None)` for nobody.
AsStaff = Callable[[Who | None], Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def town(settings: Settings) -> AsyncIterator[Town]:
    """Atelier with Lumen, Forge with Volta; nobody works there yet."""
    async with open_town(settings) as town:
        yield town


@pytest.fixture
async def console(town: Town) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at the console that nobody has signed in with."""
    async with town.browser() as client:
        yield client


@pytest.fixture
async def as_staff(town: Town) -> AsyncIterator[AsStaff]:
    """Browsers of people in a role, each with a session of its own."""
    async with contextlib.AsyncExitStack() as stack:

        async def open_browser(who: Who | None) -> httpx.AsyncClient:
            session = await town.session(await town.hire(who)) if who else ""
            return await stack.enter_async_context(town.browser(session))

        yield open_browser


@pytest.fixture
async def admin(as_staff: AsStaff) -> httpx.AsyncClient:
    """Lumen's admin."""
    return await as_staff("admin")


@pytest.fixture
async def owner(as_staff: AsStaff) -> httpx.AsyncClient:
    """Who owns Atelier."""
    return await as_staff("agency_owner")


@pytest.fixture
async def shop(town: Town, settings: Settings, stripe_key: str) -> AsyncIterator[Shop]:
    """Lumen's account at the sandbox, with a small catalog; nothing of it is imported yet."""
    db, lumen = town.deployment.db, town.lumen.id
    await set_secret(settings, db, lumen, SECRET_KEY, stripe_key)
    await set_secret(settings, db, lumen, WEBHOOK_SECRET, SIGNING_SECRET)
    async with open_shop(settings.stripe_url, stripe_key) as shop:
        yield shop


@pytest.fixture
def provider() -> Iterator[HostileProvider]:
    """An identity provider that misbehaves when it is told to."""
    with HostileProvider(client_secret=SECRET) as provider:
        yield provider
