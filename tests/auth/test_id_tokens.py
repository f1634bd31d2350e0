"""Attacks on the ID token beyond the certification plan."""

import hashlib
import hmac

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey

from guichet.auth.failures import IdentityNotTrusted
from guichet.db import Database
from tests.auth.conftest import Browser, Clock, count_sessions
from tests.auth.hostile_provider import Document, HostileProvider, Key, rsa_key, unsigned


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
        ({"aud": [["guichet"]]}, "lacks a claim"),
        ({"nonce": ["of", "several"]}, "lacks a claim"),
        ({"at_hash": ""}, "lacks a claim"),
        ({"nonce": None}, "the ID token's nonce"),
        ({"nonce": ""}, "the ID token's nonce"),
        ({"aud": ""}, "the ID token's aud"),
        ({"aud": []}, "the ID token's aud"),
        ({"aud": ["another"], "azp": "guichet"}, "the ID token's aud"),
        ({"aud": ["guichet", "another"]}, "the ID token's azp"),
        ({"aud": ["guichet", "another"], "azp": ""}, "the ID token's azp"),
        ({"aud": ["guichet", "another"], "azp": "another"}, "the ID token's azp"),
        ({"azp": "another"}, "the ID token's azp"),
        ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "the ID token's at_hash"),
        ({"at_hash": "é"}, "the ID token's at_hash"),
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
        {"email_verified": "true"},
    ],
)
async def test_an_unusual_but_honest_id_token_is_accepted(
    ada: Browser, hostile: HostileProvider, claims: Document
) -> None:
    hostile.claims |= claims
    assert (await ada.enter()).token


@pytest.mark.parametrize(
    ("claim", "seconds"),
    [("exp", -61), ("iat", 120), ("nbf", 120)],
)
async def test_an_id_token_out_of_its_time_is_refused(
    ada: Browser, hostile: HostileProvider, claim: str, seconds: int
) -> None:
    hostile.times[claim] = seconds
    with pytest.raises(IdentityNotTrusted) as failure:
        await ada.enter()
    assert failure.value.reason == f"the ID token's {claim}"


@pytest.mark.parametrize(("claim", "seconds"), [("exp", -5), ("iat", 50), ("nbf", 50)])
async def test_clocks_may_differ_by_a_minute(
    ada: Browser, hostile: HostileProvider, claim: str, seconds: int
) -> None:
    hostile.times[claim] = seconds
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


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("RS512", rsa_key("other")),
        ("PS256", rsa_key("other")),
        ("ES256", ECKey.generate_key("P-256", {"kid": "other"})),
        ("ES384", ECKey.generate_key("P-384", {"kid": "other"})),
        ("ES512", ECKey.generate_key("P-521", {"kid": "other"})),
        ("EdDSA", OKPKey.generate_key("Ed25519", {"kid": "other"})),
        ("Ed25519", OKPKey.generate_key("Ed25519", {"kid": "other"})),
    ],
)
async def test_every_algorithm_that_is_advertised_and_asymmetric_is_verified(
    ada: Browser, hostile: HostileProvider, algorithm: str, key: Key
) -> None:
    hostile.discovery["id_token_signing_alg_values_supported"] = [algorithm]
    hostile.keys.append(key)
    hostile.header["alg"] = algorithm
    assert (await ada.enter()).token
    # Its hash of the access token is verified as well.
    hostile.claims["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA"
    with pytest.raises(IdentityNotTrusted) as failure:
        await ada.enter()
    assert failure.value.reason == "the ID token's at_hash"


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


async def test_a_key_that_is_too_short_to_be_safe_does_not_verify(
    ada: Browser, hostile: HostileProvider
) -> None:
    # RFC 7518 section 3.3: at least 2048 bits.
    with pytest.warns(SecurityWarning):
        hostile.keys = [RSAKey.generate_key(1024, {"kid": "short", "use": "sig"})]
    hostile.id_token = hostile.sign({"sub": "ada-1"})
    with pytest.raises(IdentityNotTrusted) as failure:
        await ada.enter()
    assert failure.value.reason == "the provider's key cannot be used"


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
