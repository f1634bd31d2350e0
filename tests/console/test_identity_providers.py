"""Customers' sign-in providers in the console: set up, checked, and tried without a trace."""

from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from guichet.auth.client_secrets import keep_client_secret, known_secrets, open_client_secret
from guichet.auth.failures import IdentityProviderMisconfigured
from guichet.console.connections.presets import PRESETS
from tenants.configuration import Configuration, publish
from tenants.drafts import load_draft
from tenants.identity_providers import IdentityProvider, secret_name
from tests.auth.hostile_provider import HostileProvider
from tests.console.conftest import AsStaff
from tests.console.forms import Forms
from tests.console.town import LUMEN, Town, post

PAGE = "/merchants/lumen/sign-in-providers"
SECRET = "planted client/secret".replace(" ", ":")


@pytest.fixture
def provider() -> Iterator[HostileProvider]:
    with HostileProvider(client_secret=SECRET) as provider:
        yield provider


@pytest.fixture
async def admin(as_staff: AsStaff) -> httpx.AsyncClient:
    return await as_staff("admin")


def fields(issuer: str, **changed: str) -> dict[str, str]:
    row = {
        "id": "work",
        "label": "Work",
        "issuer": issuer,
        "client_id": "guichet",
        "scopes": "openid, email",
        "endpoint_hosts": "",
    }
    return {f"identity_providers[0].{name}": text for name, text in (row | changed).items()}


async def save(client: httpx.AsyncClient, issuer: str, **changed: str) -> httpx.Response:
    """Put one provider into the draft, as the page's form does."""
    seen = Forms((await client.get(f"{PAGE}?add=custom")).text).by_action[""]["seen"]
    return await post(client, PAGE, {"seen": seen, **fields(issuer, **changed)})


async def set_secret(client: httpx.AsyncClient, value: str = SECRET) -> httpx.Response:
    return await post(client, f"{PAGE}/work/secret", {"secret-work": value})


async def try_it(client: httpx.AsyncClient, provider: HostileProvider) -> str:
    """Begin a trial and consent; answers the address that the provider sends the browser to."""
    started = await client.get(f"{PAGE}/work/try")
    assert started.status_code == 303, started.text
    async with httpx.AsyncClient(trust_env=False) as web:
        consented = await web.get(started.headers["location"])
    back: str = consented.headers["location"]
    assert back.startswith(f"http://console.localhost:8000{PAGE}/work/callback?")
    return back


async def count(town: Town, table: str) -> int:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        rows = await unit.fetchval(
            f"select count(1) from {table} where tenant_id = $1", town.lumen.id
        )
    return int(rows)


async def providers_of(town: Town) -> tuple[IdentityProvider, ...]:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        draft = await load_draft(unit.connection, unit.tenant_id)
    return draft.configuration.identity_providers


async def test_a_provider_is_saved_and_its_form_changes_nothing_by_itself(
    town: Town, admin: httpx.AsyncClient, provider: HostileProvider
) -> None:
    assert (await save(admin, provider.issuer, endpoint_hosts="id.example:8443")).status_code == 303
    before = await providers_of(town)
    assert before == (
        IdentityProvider(
            id="work",
            label="Work",
            issuer=provider.issuer,
            client_id="guichet",
            scopes=("openid", "email"),
            endpoint_hosts=("id.example:8443",),
        ),
    )
    page = await admin.get(PAGE)
    untouched = Forms(page.text).by_action[""]
    assert (await post(admin, PAGE, untouched)).status_code == 303
    assert await providers_of(town) == before
    assert f"{LUMEN}/sign-in/work/callback" in page.text
    assert f"http://console.localhost:8000{PAGE}/work/callback" in page.text


@pytest.mark.parametrize("preset", [it.id for it in PRESETS])
async def test_a_preset_fills_a_new_provider_s_form(admin: httpx.AsyncClient, preset: str) -> None:
    filled = Forms((await admin.get(f"{PAGE}?add={preset}")).text).by_action[""]
    assert filled["identity_providers[0].scopes"] == "openid, email, profile"
    issuer = filled["identity_providers[0].issuer"]
    assert (issuer != "") == (preset != "custom")
    # What has to be replaced is refused as long as it is not.
    answer = await post(admin, PAGE, filled | {"identity_providers[0].client_id": "c"})
    assert answer.status_code == (303 if preset == "google" else 422)
    assert ("in place of YOUR-" in answer.text) == ("YOUR-" in issuer)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"id": "../x"}, "hyphens"),
        ({"issuer": "javascript:alert(1)"}, "https address"),
        ({"issuer": "http://provider.example"}, "https address"),
        ({"client_id": ""}, "client id that the provider gave you"),
        ({"endpoint_hosts": "a.example/x"}, "is no host"),
        ({"label": ""}, "what the button says"),
    ],
)
async def test_a_provider_that_cannot_be_used_is_refused_with_a_reason(
    town: Town, admin: httpx.AsyncClient, changed: dict[str, str], words: str
) -> None:
    answer = await save(admin, **{"issuer": "https://id.example", **changed})
    assert answer.status_code == 422
    assert words in answer.text
    assert await providers_of(town) == ()


async def test_without_a_provider_the_page_warns(admin: httpx.AsyncClient) -> None:
    assert "no customer can sign in" in (await admin.get(PAGE)).text


async def test_a_check_of_a_good_provider_finds_nothing_wrong(
    admin: httpx.AsyncClient, provider: HostileProvider
) -> None:
    provider.discovery = {"code_challenge_methods_supported": ["S256"]}
    await save(admin, provider.issuer)
    await set_secret(admin)
    answer = await post(admin, f"{PAGE}/work/check")
    assert "It takes PKCE with S256." in answer.text
    assert 'class="notice negative"' not in answer.text


@pytest.mark.parametrize(
    ("lies", "words"),
    [
        ({"issuer": "https://accounts.example"}, "of another issuer"),
        ({"token_endpoint": "https://thief.example/token"}, "on other hosts: thief.example"),
        ({"token_endpoint": "file:///etc/passwd"}, "not a plain https address"),
        ({"jwks_uri": "http://169.254.169.254/latest"}, "not a plain https address"),
        ({"token_endpoint": None}, "does not answer"),
        ({"code_challenge_methods_supported": ["plain"]}, "does not take PKCE with S256"),
        ({"id_token_signing_alg_values_supported": ["HS256"]}, "trusted here: HS256"),
        ({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}, "private_key_jwt"),
    ],
)
async def test_a_check_says_in_words_what_is_wrong(
    admin: httpx.AsyncClient, provider: HostileProvider, lies: dict[str, object], words: str
) -> None:
    await save(admin, provider.issuer)
    await set_secret(admin)
    provider.discovery = lies
    answer = await post(admin, f"{PAGE}/work/check")
    assert answer.status_code == 200
    assert words in answer.text


async def test_a_check_asks_anew_each_time(
    admin: httpx.AsyncClient, provider: HostileProvider
) -> None:
    await save(admin, provider.issuer)
    provider.discovery = {"issuer": "https://accounts.example"}
    assert "of another issuer" in (await post(admin, f"{PAGE}/work/check")).text
    provider.discovery = {}
    assert "of another issuer" not in (await post(admin, f"{PAGE}/work/check")).text


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


async def test_a_secret_goes_to_no_other_issuer_than_the_one_it_was_given_for(
    admin: httpx.AsyncClient, provider: HostileProvider
) -> None:
    await save(admin, provider.issuer)
    await set_secret(admin)
    with HostileProvider(client_secret=SECRET) as thief:
        await save(admin, thief.issuer)
        assert "is sent to nobody else" in (await admin.get(PAGE)).text
        answer = await admin.get(await try_it(admin, thief))
        assert answer.status_code == 503
        assert thief.token_requests == []


async def test_an_operator_s_secret_is_tried_with_the_published_issuer_alone(
    town: Town, admin: httpx.AsyncClient, provider: HostileProvider
) -> None:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        await town.deployment.vault.store(
            unit.connection, unit.tenant_id, secret_name("work"), SECRET
        )
    await save(admin, provider.issuer)
    assert (await admin.get(await try_it(admin, provider))).status_code == 503
    assert provider.token_requests == []


async def test_customers_too_are_sent_to_no_other_issuer_with_a_secret(town: Town) -> None:
    given = IdentityProvider(id="work", label="W", issuer="https://id.example", client_id="c")
    other = IdentityProvider(id="work", label="W", issuer="https://thief.example", client_id="c")
    vault = town.deployment.vault
    async with town.deployment.db.unit(town.lumen.id) as unit:
        await keep_client_secret(unit, vault, given, SECRET, "a test")
        assert await open_client_secret(unit, vault, given) == SECRET
        with pytest.raises(IdentityProviderMisconfigured):
            await open_client_secret(unit, vault, other)
        await vault.store(unit.connection, unit.tenant_id, secret_name("work"), "operator's")
        assert await open_client_secret(unit, vault, other) == "operator's"


@pytest.mark.parametrize("value", ["", "two words", "x" * 2001, "line\nbreak"])
async def test_what_is_no_client_secret_is_refused(
    admin: httpx.AsyncClient, provider: HostileProvider, value: str
) -> None:
    await save(admin, provider.issuer)
    answer = await set_secret(admin, value)
    assert answer.status_code == 422
    assert not value or value not in answer.text


async def test_a_client_secret_is_in_no_page_or_audit_row(
    town: Town, admin: httpx.AsyncClient, provider: HostileProvider
) -> None:
    await save(admin, provider.issuer)
    answers = [await set_secret(admin)]
    answers += [await admin.get(PAGE), await post(admin, f"{PAGE}/work/check")]
    back = await try_it(admin, provider)
    answers += [await admin.get(back), await admin.get(back)]
    async with town.deployment.db.unit(town.lumen.id) as unit:
        rows = await unit.fetch(
            """
            select action, details::text
            from audit_log
            where tenant_id = $1
            """,
            town.lumen.id,
        )
    assert "client_secret.set" in repr(rows)
    everything = "".join(it.text for it in answers) + repr(rows)
    assert "planted" not in everything


async def test_a_client_secret_is_removed_at_once(
    town: Town, admin: httpx.AsyncClient, provider: HostileProvider
) -> None:
    await save(admin, provider.issuer)
    await set_secret(admin)
    assert "Replace the secret" in (await admin.get(PAGE)).text
    for _ in range(2):
        assert (await post(admin, f"{PAGE}/work/secret/remove")).status_code == 303
    assert "No secret" in (await admin.get(PAGE)).text
    async with town.deployment.db.unit(town.lumen.id) as unit:
        assert await known_secrets(unit) == {}
        told = await unit.fetchval(
            """
            select count(1)
            from audit_log
            where tenant_id = $1
            and action = 'client_secret.removed'
            """,
            unit.tenant_id,
        )
    assert told == 1


async def test_a_provider_is_removed_from_the_draft(
    town: Town, admin: httpx.AsyncClient, provider: HostileProvider
) -> None:
    await save(admin, provider.issuer)
    assert (await post(admin, f"{PAGE}/work/remove")).status_code == 303
    assert await providers_of(town) == ()


async def test_the_page_is_french_too(admin: httpx.AsyncClient) -> None:
    page = await admin.get(PAGE, headers={"accept-language": "fr"})
    assert "aucun client ne peut se connecter" in page.text
