"""The fourteen modules of the relying-party basic certification plan, each against a real server.

The plan is `oidcc-client-basic-certification-test-plan` of the OpenID Foundation; each test names
its module.
"""

import base64
from urllib.parse import parse_qs, urlsplit

import pytest

from guichet.auth.failures import IdentityNotTrusted
from guichet.auth.sessions import find_session
from guichet.db import Database
from tests.auth.conftest import Browser, count_sessions
from tests.auth.hostile_provider import HostileProvider, rsa_key, unsigned


async def refused(db: Database, browser: Browser) -> str:
    """Sign in against a lie; answers the reason for the log, and no session may be left."""
    with pytest.raises(IdentityNotTrusted) as failure:
        await browser.enter()
    assert await count_sessions(db, browser.visitor.tenant_id) == 0
    return failure.value.reason


async def test_oidcc_client_test_the_code_flow_opens_a_session(ada: Browser, db: Database) -> None:
    finished = await ada.enter("/invoices")
    assert finished.next_path == "/invoices"
    async with db.unit(ada.visitor.tenant_id) as unit:
        session = await find_session(unit, finished.token)
    assert session is not None
    assert session.customer_id == "cus_ada"


async def test_oidcc_client_test_invalid_iss_a_foreign_issuer_is_refused(
    ada: Browser, hostile: HostileProvider, db: Database
) -> None:
    hostile.claims["iss"] = "https://accounts.example"
    assert await refused(db, ada) == "the ID token's iss"


async def test_oidcc_client_test_missing_sub_nobody_is_refused(
    ada: Browser, hostile: HostileProvider, db: Database
) -> None:
    hostile.claims["sub"] = None
    assert "lacks a claim" in await refused(db, ada)


async def test_oidcc_client_test_invalid_aud_a_token_for_another_client_is_refused(
    ada: Browser, hostile: HostileProvider, db: Database
) -> None:
    hostile.claims["aud"] = "another-client"
    assert await refused(db, ada) == "the ID token's aud"


async def test_oidcc_client_test_missing_iat_a_token_without_its_time_is_refused(
    ada: Browser, hostile: HostileProvider, db: Database
) -> None:
    hostile.claims["iat"] = None
    assert "lacks a claim" in await refused(db, ada)


async def test_oidcc_client_test_kid_absent_single_jwks_the_only_key_is_taken(
    ada: Browser, hostile: HostileProvider
) -> None:
    hostile.header["kid"] = None
    assert (await ada.enter()).token


async def test_oidcc_client_test_kid_absent_multiple_jwks_no_key_is_guessed(
    ada: Browser, hostile: HostileProvider, db: Database
) -> None:
    hostile.keys.append(rsa_key("second"))
    hostile.header["kid"] = None
    assert "several keys" in await refused(db, ada)


async def test_oidcc_client_test_idtoken_sig_rs256_is_verified(
    ada: Browser, hostile: HostileProvider
) -> None:
    hostile.header["alg"] = "RS256"
    assert (await ada.enter()).token


async def test_oidcc_client_test_idtoken_sig_none_an_unsigned_token_is_refused(
    ada: Browser, hostile: HostileProvider, db: Database
) -> None:
    hostile.discovery["id_token_signing_alg_values_supported"] = ["RS256", "none"]
    hostile.id_token = unsigned({"alg": "none"}, {"sub": "ada-1", "iss": hostile.issuer})
    assert "algorithm" in await refused(db, ada)


async def test_oidcc_client_test_invalid_sig_rs256_a_wrong_signature_is_refused(
    ada: Browser, hostile: HostileProvider, db: Database
) -> None:
    honest = rsa_key("first")
    hostile.published = [dict(honest.as_dict(private=False))]
    assert "signature" in await refused(db, ada)


async def test_oidcc_client_test_userinfo_invalid_sub_about_somebody_else_is_refused(
    ada: Browser, hostile: HostileProvider, db: Database
) -> None:
    hostile.claims["email"] = None
    hostile.userinfo["sub"] = "grace-1"
    assert "another subject" in await refused(db, ada)


async def test_oidcc_client_test_nonce_invalid_a_token_of_another_sign_in_is_refused(
    ada: Browser, hostile: HostileProvider, db: Database
) -> None:
    hostile.claims["nonce"] = "of-another-sign-in"
    assert await refused(db, ada) == "the ID token's nonce"


async def test_oidcc_client_test_scope_userinfo_claims_the_email_is_fetched_where_it_is(
    ada: Browser, hostile: HostileProvider
) -> None:
    hostile.claims |= {"email": None, "email_verified": None}
    assert (await ada.enter()).token
    assert parse_qs(urlsplit(ada.sent_to).query)["scope"] == ["openid email profile"]
    assert [bearer.partition(" ")[0] for bearer in hostile.bearers] == ["Bearer"]


async def test_oidcc_client_test_client_secret_basic_both_halves_are_encoded(
    ada: Browser, hostile: HostileProvider
) -> None:
    assert (await ada.enter()).token
    (request,) = hostile.token_requests
    sent = base64.b64decode(request["authorization"].removeprefix("Basic ")).decode()
    assert sent == "guichet:s3cret%3Awith%2Fodd%2Bsigns"
    assert "client_secret" not in request
