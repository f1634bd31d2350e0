"""Attacks on the code flow beyond the certification plan."""

import gzip
import hashlib
import hmac
import json
import time
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from joserfc.jwk import ECKey

from guichet.auth.failures import (
    IdentityNotTrusted,
    IdentityProviderMisconfigured,
    IdentityProviderUnreachable,
    SignInDeclined,
    SignInExpired,
    SignInFailed,
    SignInRefused,
)
from guichet.auth.oidc import Callback, code_challenge
from guichet.db import Database
from tests.auth.conftest import Browser, Clock, count_sessions
from tests.auth.hostile_provider import Document, HostileProvider, rsa_key, unsigned

NOW = int(time.time())


@pytest.mark.parametrize(
    ("lies", "reason"),
    [
        ({"sub": ""}, "lacks a claim"),
        ({"sub": 7}, "lacks a claim"),
        ({"sub": "a" * 256}, "lacks a claim"),
        ({"sub": "ada\0"}, "lacks a claim"),
        ({"email": "ada@example.com\0"}, "lacks a claim"),
        ({"email": "a" * 400}, "lacks a claim"),
        ({"iss": None}, "lacks a claim"),
        ({"aud": None}, "lacks a claim"),
        ({"exp": None}, "lacks a claim"),
        ({"exp": "soon"}, "lacks a claim"),
        ({"exp": NOW - 3600}, "expiry"),
        ({"iat": NOW + 3600}, "time of issue"),
        ({"nbf": NOW + 3600}, "beginning"),
        ({"nonce": None}, "nonce"),
        ({"aud": ["guichet", "another"]}, "audience"),
        ({"aud": ["guichet", "another"], "azp": "another"}, "audience"),
        ({"aud": ["another"], "azp": "guichet"}, "audience"),
        ({"aud": []}, "audience"),
        ({"azp": "another"}, "audience"),
        ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "access token"),
    ],
)
async def test_an_id_token_with_a_wrong_claim_is_refused(
    ada: Browser, hostile: HostileProvider, db: Database, lies: Document, reason: str
) -> None:
    hostile.claims |= lies
    with pytest.raises(IdentityNotTrusted) as failure:
        await ada.enter()
    assert reason in failure.value.reason
    assert await count_sessions(db, ada.visitor.tenant_id) == 0


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["guichet"]},
        {"aud": ["guichet", "another"], "azp": "guichet"},
        {"at_hash": None},
        {"exp": NOW - 30},
        {"email_verified": "true"},
    ],
)
async def test_an_unusual_but_honest_id_token_is_accepted(
    ada: Browser, hostile: HostileProvider, claims: Document
) -> None:
    hostile.claims |= claims
    assert (await ada.enter()).token


async def test_a_public_key_used_as_an_hmac_secret_is_refused(
    ada: Browser, hostile: HostileProvider
) -> None:
    hostile.discovery["id_token_signing_alg_values_supported"] = ["RS256", "HS256"]
    await ada.start()
    callback = await ada.consent()
    public = hostile.keys[0].as_pem(private=False)
    forged = unsigned({"alg": "HS256", "kid": "first"}, {"sub": "ada-1"})
    signed_part = forged.rpartition(".")[0]
    tag = hmac.digest(public, signed_part.encode(), hashlib.sha256)
    hostile.id_token = signed_part + "." + unsigned({}, {}, tag).rpartition(".")[2]
    with pytest.raises(IdentityNotTrusted) as failure:
        await ada.finish(callback)
    assert "algorithm" in failure.value.reason


async def test_an_hmac_with_the_client_secret_is_refused_even_when_advertised_alone(
    ada: Browser, hostile: HostileProvider
) -> None:
    hostile.discovery["id_token_signing_alg_values_supported"] = ["HS256"]
    with pytest.raises(IdentityNotTrusted) as failure:
        await ada.enter()
    assert "algorithm" in failure.value.reason


async def test_an_algorithm_that_the_provider_does_not_advertise_is_refused(
    ada: Browser, hostile: HostileProvider
) -> None:
    hostile.header["alg"] = "PS256"
    with pytest.raises(IdentityNotTrusted) as failure:
        await ada.enter()
    assert "algorithm" in failure.value.reason


async def test_an_elliptic_curve_signature_is_verified_when_advertised(
    ada: Browser, hostile: HostileProvider
) -> None:
    hostile.discovery["id_token_signing_alg_values_supported"] = ["RS256", "ES256"]
    hostile.keys.append(ECKey.generate_key("P-256", {"kid": "curve", "use": "sig"}))
    hostile.header["alg"] = "ES256"
    assert (await ada.enter()).token


async def test_a_key_embedded_in_the_token_is_no_key(
    ada: Browser, hostile: HostileProvider
) -> None:
    own = rsa_key("first")
    hostile.published = [dict(hostile.keys[0].as_dict(private=False))]
    hostile.keys.append(own)
    hostile.header |= {"jwk": dict(own.as_dict(private=False)), "kid": "first"}
    with pytest.raises(IdentityNotTrusted):
        await ada.enter()


async def test_an_extension_that_must_be_understood_and_is_not_ends_it(
    ada: Browser, hostile: HostileProvider
) -> None:
    # RFC 7515 section 4.1.11. The same token without it is accepted.
    hostile.header |= {"crit": ["typ"]}
    assert (await ada.enter()).token
    hostile.header |= {"crit": ["expiry"], "expiry": 1}
    with pytest.raises(IdentityNotTrusted) as failure:
        await ada.enter()
    assert "signature" in failure.value.reason


async def test_an_encryption_key_does_not_verify(ada: Browser, hostile: HostileProvider) -> None:
    hostile.published = [{**hostile.keys[0].as_dict(private=False), "use": "enc"}]
    with pytest.raises(IdentityNotTrusted) as failure:
        await ada.enter()
    assert "no key" in failure.value.reason


async def test_keys_of_kinds_nobody_knows_are_passed_over(
    ada: Browser, hostile: HostileProvider
) -> None:
    honest = dict(hostile.keys[0].as_dict(private=False))
    hostile.published = [{"kty": "AKP", "kid": "later", "alg": "ML-DSA-44"}, honest]
    assert (await ada.enter()).token


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "e30.e30.", "é.é.é", "x" * 200_000])
async def test_rubbish_in_place_of_an_id_token_is_refused(
    ada: Browser, hostile: HostileProvider, token: str
) -> None:
    hostile.id_token = token or "."
    with pytest.raises(IdentityNotTrusted):
        await ada.enter()


async def test_keys_that_were_changed_are_fetched_again_but_not_at_will(
    ada: Browser, hostile: HostileProvider, clock: Clock
) -> None:
    await ada.enter()
    hostile.keys = [rsa_key("second")]
    with pytest.raises(IdentityNotTrusted):
        await ada.enter()
    assert hostile.requests.count("GET /keys") == 1
    clock.ahead = 31
    assert (await ada.enter()).token
    assert hostile.requests.count("GET /keys") == 2
    hostile.header["kid"] = "never-published"
    for _ in range(3):
        with pytest.raises(IdentityNotTrusted):
            await ada.enter()
    assert hostile.requests.count("GET /keys") == 2


async def test_discovery_and_keys_are_asked_for_once_an_hour(
    ada: Browser, hostile: HostileProvider, clock: Clock
) -> None:
    await ada.enter()
    await ada.enter()
    assert hostile.requests.count("GET /.well-known/openid-configuration") == 1
    assert hostile.requests.count("GET /keys") == 1
    clock.ahead = 3601
    hostile.claims |= {"iat": NOW + 3601, "exp": NOW + 3901}
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


@pytest.mark.parametrize("lies", [{"id_token": None}, {"token_type": "mac"}, {"access_token": 1}])
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
    assert query["code_challenge"] == [code_challenge(request["code_verifier"])]


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


async def test_the_pkce_example_of_the_standard_holds() -> None:
    # RFC 7636 appendix B.
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert code_challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


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
