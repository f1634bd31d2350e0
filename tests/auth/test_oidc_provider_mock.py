"""The happy path against a provider that somebody else wrote, in a process of its own.

It does not verify the PKCE verifier; the hostile provider does.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec
import pytest

from guichet.auth.failures import SignInFailed
from guichet.auth.oidc import Callback
from guichet.auth.signing_in import SignIn
from guichet.db import Database
from guichet.embedded.programs import Program, free_port
from tenants.identity_providers import IdentityProvider
from tests.auth.conftest import Browser, Merchants, add_customer, count_sessions

ADA = {"sub": "ada", "email": "ada@example.com", "email_verified": True}


@pytest.fixture(scope="module")
def mock_issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory, port = tmp_path_factory.mktemp("provider"), free_port()
    command = ["-m", "oidc_provider_mock", "--port", str(port), "--user-claims", json.dumps(ADA)]
    program = Program(
        "identity provider",
        [sys.executable, *command],
        record=Path(directory, "provider.pid"),
        log=Path(directory, "provider.log"),
    )
    issuer = f"http://127.0.0.1:{port}"
    program.start()
    program.wait_until(lambda: _answers(issuer), 20)
    yield issuer
    program.stop()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=1, trust_env=False).status_code < 500
    except httpx.TransportError:
        return False


async def decide(url: str, **choice: str) -> Callback:
    """Click on the provider's page; answers its redirect."""
    async with httpx.AsyncClient(trust_env=False) as client:
        response = await client.post(url, data=choice)
    query = dict(parse_qsl(urlsplit(response.headers["location"]).query))
    known = {name: query[name] for name in ("state", "code", "iss", "error") if name in query}
    return msgspec.convert(known, Callback)


@pytest.fixture
async def browser(sign_in: SignIn, mock_issuer: str, merchants: Merchants, db: Database) -> Browser:
    await add_customer(db, merchants.lumen, "cus_ada", "ada@example.com")
    provider = IdentityProvider("work", "Work", mock_issuer, "lumen-portal")
    return Browser(sign_in, provider, merchants.lumen)


async def test_a_customer_signs_in(browser: Browser, db: Database) -> None:
    url = await browser.start("/invoices")
    finished = await browser.finish(await decide(url, sub="ada"))
    assert finished.next_path == "/invoices"
    assert await count_sessions(db, browser.visitor.tenant_id) == 1


async def test_a_customer_who_declines_is_not_signed_in(browser: Browser, db: Database) -> None:
    url = await browser.start()
    # Unlike RFC 6749 section 4.1.2.1 asks, this provider's refusal comes without the state.
    with pytest.raises(SignInFailed):
        await browser.finish(await decide(url, action="deny"))
    assert await count_sessions(db, browser.visitor.tenant_id) == 0
