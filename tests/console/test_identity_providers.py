"""Customers' sign-in providers in the console: set up, checked, and removed."""

import httpx
import pytest

from guichet.console.connections.presets import PRESETS
from tenants.identity_providers import IdentityProvider
from tests.auth.hostile_provider import HostileProvider
from tests.console.forms import Forms
from tests.console.provider_forms import PAGE, providers_of, save, set_secret
from tests.console.town import LUMEN, Town, post


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


async def test_a_provider_is_removed_from_the_draft(
    town: Town, admin: httpx.AsyncClient, provider: HostileProvider
) -> None:
    await save(admin, provider.issuer)
    assert (await post(admin, f"{PAGE}/work/remove")).status_code == 303
    assert await providers_of(town) == ()


async def test_the_page_is_french_too(admin: httpx.AsyncClient) -> None:
    page = await admin.get(PAGE, headers={"accept-language": "fr"})
    assert "aucun client ne peut se connecter" in page.text
