"""The demo's identity provider: a process of its own that lets anybody in as a demo person."""

import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

from guichet.demo.people import CUSTOMERS, STAFF
from guichet.embedded.programs import Program


def identity_provider(port: int, *, record: Path, log: Path) -> Program:
    """The provider on 127.0.0.1, not yet started; its issuer is `issuer_url(port)`.

    It takes any client id and secret, so each tenant is a client of its own without registering.
    It knows the demo's people, each with a verified email address.
    """
    people = [
        {"sub": person.email, "email": person.email, "email_verified": True, "name": person.name}
        for person in (*CUSTOMERS, *STAFF)
    ]
    claims = [part for claims in people for part in ("--user-claims", json.dumps(claims))]
    return Program(
        "identity provider",
        [
            *(sys.executable, "-W", "ignore", "-m", "oidc_provider_mock"),
            *("--host", "127.0.0.1", "--port", str(port), *claims),
        ],
        record=record,
        log=log,
        stop_seconds=3,
    )


def issuer_url(port: int) -> str:
    """What the provider calls itself in its tokens."""
    return f"http://127.0.0.1:{port}"


def answers(url: str) -> bool:
    """Whether an HTTP server at this loopback URL answers, and not with a server's error."""
    # The machine's proxy settings are for the world outside, never for loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False
