"""Attacks on discovery, the callback and the token endpoint beyond the certification plan."""

import gzip
import hashlib
import json
from base64 import urlsafe_b64encode
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from guichet.auth.discovery import Discovery
from guichet.auth.failures import (
    IdentityNotTrusted,
    IdentityProviderMisconfigured,
    IdentityProviderUnreachable,
    SignInDeclined,
    SignInExpired,
    SignInFailed,
    SignInRefused,
)
from guichet.auth.identity_http import open_identity_http
from guichet.auth.oidc import Callback, Exchange, RelyingParty
from tenants.identity_providers import IdentityProvider
from tests.auth.conftest import REDIRECT_URI, Browser, Clock
from tests.auth.hostile_provider import Document, HostileProvider


async def test_discovery_and_keys_are_asked_for_once_an_hour(
    ada: Browser, hostile: HostileProvider, clock: Clock
) -> None:
    await ada.enter()
    await ada.enter()
    assert hostile.requests.count("GET /.well-known/openid-configuration") == 1
    assert hostile.requests.count("GET /keys") == 1
    clock.ahead = 3601
    hostile.times = {"iat": 3601, "exp": 3901}
    await ada.enter()
    assert hostile.requests.count("GET /.well-known/openid-configuration") == 2


@pytest.mark.parametrize(
    ("lies", "kind"),
    [
        ({"issuer": "https://accounts.example"}, IdentityProviderMisconfigured),
        ({"issuer": None}, IdentityNotTrusted),
        ({"token_endpoint": "https://thief.example/token"}, IdentityProviderMisconfigured),
        ({"token_endpoint": "http://127.0.0.1:1/token"}, IdentityProviderMisconfigured),
        ({"userinfo_endpoint": "https://thief.example/me"}, IdentityProviderMisconfigured),
        ({"jwks_uri": "https://thief.example/keys"}, IdentityProviderMisconfigured),
        ({"jwks_uri": "http://169.254.169.254/latest"}, IdentityProviderMisconfigured),
        ({"authorization_endpoint": "https://thief.example/"}, IdentityProviderMisconfigured),
        ({"authorization_endpoint": "javascript:alert(1)"}, IdentityProviderMisconfigured),
        ({"token_endpoint": "file:///etc/passwd"}, IdentityProviderMisconfigured),
        ({"token_endpoint": "http://[::1"}, IdentityProviderMisconfigured),
        ({"token_endpoint": "/token"}, IdentityProviderMisconfigured),
        ({"token_endpoint": 7}, IdentityNotTrusted),
    ],
)
async def test_discovery_that_names_what_is_not_the_issuers_is_refused(
    ada: Browser, hostile: HostileProvider, lies: Document, kind: type[SignInFailed]
) -> None:
    hostile.discovery |= lies
    with pytest.raises(kind):
        await ada.start()


async def test_an_endpoint_on_a_host_that_the_merchant_named_is_accepted(
    ada: Browser, hostile: HostileProvider
) -> None:
    hostile.discovery["authorization_endpoint"] = "https://login.example:8443/authorize"
    with pytest.raises(IdentityProviderMisconfigured):
        await ada.start()
    ada.provider = msgspec.structs.replace(ada.provider, endpoint_hosts=("login.example",))
    with pytest.raises(IdentityProviderMisconfigured):
        await ada.start()
    ada.provider = msgspec.structs.replace(ada.provider, endpoint_hosts=("login.example:8443",))
    assert (await ada.start()).startswith("https://login.example:8443/authorize?")


async def test_an_endpoint_that_browsers_read_otherwise_is_refused(
    ada: Browser, hostile: HostileProvider
) -> None:
    # To us the host is what follows the @, to a browser what precedes the backslash.
    hostile.discovery["authorization_endpoint"] = f"http://evil.example\\@127.0.0.1:{hostile.port}/"
    with pytest.raises(IdentityProviderMisconfigured):
        await ada.start()


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token"])
async def test_no_redirect_is_followed_even_to_a_right_answer(
    ada: Browser, hostile: HostileProvider, path: str
) -> None:
    _, headers, document = hostile.answer(path, {}, "")
    hostile.answers["/elsewhere"] = (200, headers, document)
    hostile.answers[path] = (307, {"location": f"{hostile.issuer}/elsewhere"}, b"")
    with pytest.raises(SignInFailed):
        await ada.enter()
    assert not any("/elsewhere" in request for request in hostile.requests)


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token"])
@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (302, {"location": "http://127.0.0.1:1/"}, b""),
        (200, {"content-type": "application/json"}, b"[" * 300_000),
        (200, {"content-encoding": "gzip"}, gzip.compress(b" " * 100_000_000)),
        (500, {}, b"{}"),
    ],
)
async def test_a_redirect_a_flood_or_a_bomb_ends_the_sign_in_only(
    ada: Browser,
    hostile: HostileProvider,
    path: str,
    status: int,
    headers: dict[str, str],
    body: bytes,
) -> None:
    hostile.answers[path] = (status, headers, body)
    with pytest.raises(SignInFailed) as failure:
        await ada.enter()
    assert isinstance(failure.value, IdentityProviderUnreachable | SignInRefused)
    hostile.answers.clear()
    assert (await ada.enter()).token


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"\xff", b'{"access_token": 7}', b"NaN"])
async def test_a_token_answer_that_is_not_one_is_refused(
    ada: Browser, hostile: HostileProvider, body: bytes
) -> None:
    hostile.answers["/token"] = (200, {"content-type": "application/json"}, body)
    with pytest.raises(IdentityNotTrusted):
        await ada.enter()


@pytest.mark.parametrize(
    "lies",
    [{"id_token": None}, {"token_type": "mac"}, {"access_token": 1}, {"access_token": ""}],
)
async def test_a_token_answer_without_what_it_needs_is_refused(
    ada: Browser, hostile: HostileProvider, lies: Document
) -> None:
    hostile.token_answer |= lies
    with pytest.raises(IdentityNotTrusted):
        await ada.enter()


async def test_the_provider_verifies_our_pkce_verifier(
    ada: Browser, hostile: HostileProvider
) -> None:
    await ada.enter()
    query = parse_qs(urlsplit(ada.sent_to).query)
    assert query["code_challenge_method"] == ["S256"]
    (request,) = hostile.token_requests
    assert request["grant_type"] == "authorization_code"
    digest = hashlib.sha256(request["code_verifier"].encode()).digest()
    assert query["code_challenge"] == [urlsafe_b64encode(digest).decode().rstrip("=")]


async def test_a_code_stolen_from_another_sign_in_cannot_be_injected(
    ada: Browser, hostile: HostileProvider
) -> None:
    # RFC 7636: the thief's code was made for another verifier, so the provider refuses it.
    await ada.start()
    stolen = await ada.consent()
    await ada.start()
    own = await ada.consent()
    injected = msgspec.structs.replace(own, code=stolen.code)
    with pytest.raises(SignInExpired) as failure:
        await ada.finish(injected)
    assert "invalid_grant" in failure.value.reason


async def test_the_pkce_example_of_the_standard_holds(
    hostile: HostileProvider, work: IdentityProvider
) -> None:
    # RFC 7636 appendix B.
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    async with open_identity_http(allow_loopback=True) as http:
        party = RelyingParty(http, Discovery(http))
        url = await party.authorization_url(work, REDIRECT_URI, "state", "nonce", verifier)
    query = parse_qs(urlsplit(url).query)
    assert query["code_challenge"] == ["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"]


async def test_a_query_of_the_authorization_endpoint_is_kept(ada: Browser) -> None:
    query = parse_qs(urlsplit(await ada.start()).query)
    assert query["theme"] == ["dark"]
    assert query["response_type"] == ["code"]


@pytest.mark.parametrize("issuer", ["https://accounts.example", "", None])
async def test_a_callback_of_another_issuer_is_refused(
    ada: Browser, hostile: HostileProvider, issuer: str | None
) -> None:
    await ada.start()
    callback = await ada.consent()
    with pytest.raises(IdentityNotTrusted) as failure:
        await ada.finish(msgspec.structs.replace(callback, iss=issuer))
    assert "another issuer" in failure.value.reason
    assert hostile.token_requests == []


async def test_a_provider_that_does_not_promise_an_issuer_may_leave_it_out(
    ada: Browser, hostile: HostileProvider
) -> None:
    hostile.discovery["authorization_response_iss_parameter_supported"] = None
    hostile.callback["iss"] = None
    assert (await ada.enter()).token
    hostile.callback["iss"] = "https://accounts.example"
    with pytest.raises(IdentityNotTrusted):
        await ada.enter()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("access_denied", SignInDeclined),
        ("server_error", SignInRefused),
        ("<script>", SignInRefused),
    ],
)
async def test_an_error_in_the_callback_is_told_in_our_own_words(
    ada: Browser, hostile: HostileProvider, error: str, kind: type[SignInFailed]
) -> None:
    await ada.start()
    callback = await ada.consent()
    with pytest.raises(kind) as failure:
        await ada.finish(Callback(state=callback.state, iss=hostile.issuer, error=error))
    assert "<" not in failure.value.reason + failure.value.message


async def test_a_wrong_client_secret_is_the_merchants_to_mend(
    ada: Browser, hostile: HostileProvider
) -> None:
    hostile.client_secret = "changed"
    with pytest.raises(IdentityProviderMisconfigured) as failure:
        await ada.enter()
    assert failure.value.reason == "token: invalid_client (401)"


async def test_a_public_client_says_its_name_and_no_secret(
    hostile: HostileProvider, work: IdentityProvider
) -> None:
    exchange = Exchange(None, REDIRECT_URI, "a code: é&=+", "verifier", "nonce")
    async with open_identity_http(allow_loopback=True) as http:
        with pytest.raises(IdentityProviderMisconfigured):
            await RelyingParty(http, Discovery(http)).redeem(work, exchange)
    (request,) = hostile.token_requests
    assert request == {
        "grant_type": "authorization_code",
        "code": "a code: é&=+",
        "redirect_uri": REDIRECT_URI,
        "code_verifier": "verifier",
        "client_id": hostile.client_id,
        "authorization": "",
    }


async def test_the_secret_goes_into_the_form_where_basic_is_not_taken(
    ada: Browser, hostile: HostileProvider
) -> None:
    hostile.discovery["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    assert (await ada.enter()).token
    (request,) = hostile.token_requests
    assert request["client_secret"] == hostile.client_secret
    assert request["authorization"] == ""


async def test_a_provider_that_is_away_is_unreachable_and_then_back(
    ada: Browser, hostile: HostileProvider
) -> None:
    path = "/.well-known/openid-configuration"
    hostile.answers[path] = (503, {}, json.dumps({"error": "busy"}).encode())
    with pytest.raises(IdentityProviderUnreachable):
        await ada.start()
    hostile.answers.clear()
    assert await ada.start()
