"""A provider is tried without a trace: nobody signs in, and every failure has words."""

from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from tenants.configuration import Configuration, publish
from tenants.identity_providers import IdentityProvider
from tests.auth.hostile_provider import HostileProvider
from tests.console.conftest import AsStaff
from tests.console.provider_forms import PAGE, count, save, set_secret, try_it
from tests.console.town import LUMEN, Town


async def test_a_trial_shows_what_came_and_leaves_no_trace(
    town: Town, admin: httpx.AsyncClient, provider: HostileProvider
) -> None:
    await save(admin, provider.issuer)
    await set_secret(admin)
    back = await try_it(admin, provider)
    shown = await admin.get(back)
    assert shown.status_code == 200
    assert "It works." in shown.text
    assert "ada@example.com" in shown.text
    assert "ada-1" in shown.text
    assert "set-cookie" not in shown.headers
    for table in ("sessions", "identities", "sign_in_attempts"):
        assert await count(town, table) == 0, table
    again = await admin.get(back)
    assert again.status_code == 400
    assert "ada@example.com" not in again.text


async def test_a_trial_is_bound_to_the_session_that_began_it(
    admin: httpx.AsyncClient, as_staff: AsStaff, provider: HostileProvider
) -> None:
    await save(admin, provider.issuer)
    await set_secret(admin)
    back = await try_it(admin, provider)
    owner = await as_staff("owner")
    assert (await owner.get(back)).status_code == 400
    assert provider.token_requests == []


async def test_a_trial_s_callback_signs_nobody_in_at_the_portal(
    town: Town, admin: httpx.AsyncClient, provider: HostileProvider
) -> None:
    work = IdentityProvider(id="work", label="Work", issuer=provider.issuer, client_id="guichet")
    async with town.deployment.db.unit(town.lumen.id) as unit:
        configuration = Configuration(identity_providers=(work,))
        await publish(unit.connection, unit.tenant_id, configuration, "a test")
    await set_secret(admin)
    query = urlsplit(await try_it(admin, provider)).query
    session = admin.cookies["guichet-session"]
    async with town.browser(origin=LUMEN) as customer:
        customer.cookies.set("guichet-browser", session)
        answer = await customer.get(f"/sign-in/work/callback?{query}")
    assert answer.status_code in (400, 404)
    assert await count(town, "sessions") == 0


async def test_a_trial_of_a_provider_that_changed_meanwhile_is_over(
    admin: httpx.AsyncClient, provider: HostileProvider
) -> None:
    await save(admin, provider.issuer)
    await set_secret(admin)
    back = await try_it(admin, provider)
    await save(admin, provider.issuer, client_id="another")
    assert (await admin.get(back)).status_code == 400
    assert provider.token_requests == []


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({"email_verified": False}, "does not say that the address is verified"),
        ({"email": None}, "names no email address"),
    ],
)
async def test_a_trial_says_what_would_keep_customers_out(
    admin: httpx.AsyncClient, provider: HostileProvider, user: dict[str, object], words: str
) -> None:
    provider.user |= user
    provider.discovery = {"userinfo_endpoint": None}
    await save(admin, provider.issuer)
    await set_secret(admin)
    assert words in (await admin.get(await try_it(admin, provider))).text


async def test_a_trial_that_fails_says_why_in_words(
    admin: httpx.AsyncClient, provider: HostileProvider
) -> None:
    await save(admin, provider.issuer)
    await set_secret(admin, "another-secret")
    answer = await admin.get(await try_it(admin, provider))
    assert answer.status_code in (403, 503)
    assert "What was found" in answer.text
    assert "another-secret" not in answer.text


async def test_an_answer_that_is_made_up_is_refused(
    admin: httpx.AsyncClient, provider: HostileProvider
) -> None:
    await save(admin, provider.issuer)
    query = urlencode({"state": "x" * 43, "code": "c", "iss": provider.issuer})
    for made_up in (query, "", f"{query}&state=y", "error=access_denied"):
        answer = await admin.get(f"{PAGE}/work/callback?{made_up}")
        assert answer.status_code == 400, made_up
    assert provider.token_requests == []
