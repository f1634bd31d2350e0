"""The demo's identity provider lets the demo's people in, with a verified address."""

import base64
import hashlib
import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from guichet.demo.identity import answers, identity_provider, issuer_url
from guichet.demo.people import CUSTOMERS, STAFF, Person
from guichet.embedded.programs import free_port

_REDIRECT = "http://lumen.localhost:8000/sign-in/callback"
_VERIFIER = "v" * 64


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running identity provider."""
    directory = tmp_path_factory.mktemp("identity")
    port = free_port()
    program = identity_provider(port, record=directory / "i.pid", log=directory / "i.log")
    program.start()
    program.wait_until(lambda: answers(f"{issuer_url(port)}/jwks"), 20)
    yield issuer_url(port)
    program.stop()


@pytest.mark.parametrize("person", [*CUSTOMERS, *STAFF], ids=lambda person: person.email)
def test_each_person_signs_in_with_a_verified_address(issuer: str, person: Person) -> None:
    with httpx.Client(trust_env=False, timeout=10) as client:
        discovery = client.get(f"{issuer}/.well-known/openid-configuration").json()
        assert discovery["issuer"] == issuer
        code = _code(client, discovery["authorization_endpoint"], person)
        tokens = client.post(
            discovery["token_endpoint"],
            data={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": _REDIRECT,
                "code_verifier": _VERIFIER,
            },
            auth=("lumen", "any secret"),
        ).json()
    claims = _claims(tokens["id_token"])
    assert claims["iss"] == issuer
    assert claims["sub"] == claims["email"] == person.email
    assert claims["email_verified"] is True
    assert claims["nonce"] == "the-nonce"


def _code(client: httpx.Client, endpoint: str, person: Person) -> str:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(_VERIFIER.encode()).digest())
    answer = client.post(
        endpoint,
        params={
            "client_id": "lumen",
            "redirect_uri": _REDIRECT,
            "response_type": "code",
            "scope": "openid email profile",
            "state": "the-state",
            "nonce": "the-nonce",
            "code_challenge": challenge.decode().rstrip("="),
            "code_challenge_method": "S256",
        },
        data={"sub": person.email},
    )
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query["state"] == ["the-state"]
    return query["code"][0]


def _claims(token: str) -> dict[str, object]:
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert isinstance(claims, dict)
    return claims
