"""A form is taken from our own page, session and tenant only."""

from uuid import UUID, uuid4

import pytest

from guichet.auth.csrf import ForgedForm, check_form, csrf_token
from guichet.auth.sessions import new_token

OWN = "https://lumen.guichet.example"
LUMEN = UUID(int=1)
MARMITE = UUID(int=2)
SESSION = "S" * 43

Headers = list[tuple[bytes, bytes]]


def sent(*, origin: str | None = None, site: str | None = None) -> Headers:
    headers: Headers = [(b"host", b"lumen.guichet.example")]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    if site is not None:
        headers.append((b"sec-fetch-site", site.encode()))
    return headers


def accepted(headers: Headers, token: str | None, secret: str | None = SESSION) -> bool:
    try:
        check_form(headers, token, secret, LUMEN, OWN)
    except ForgedForm:
        return False
    return True


@pytest.mark.parametrize(
    ("origin", "site", "taken"),
    [
        (OWN, "same-origin", True),
        (OWN, None, True),
        (None, "same-origin", True),
        (None, "none", True),
        # A browser that says neither is older than both headers, or is no browser.
        (None, None, False),
        (None, "same-site", False),
        (None, "cross-site", False),
        (None, "", False),
        (None, "Same-Origin", False),
        ("null", None, False),
        ("null", "same-origin", False),
        ("", "same-origin", False),
        ("https://marmite.guichet.example", "same-origin", False),
        ("https://marmite.guichet.example", "same-site", False),
        ("https://evil.example", "cross-site", False),
        ("http://lumen.guichet.example", None, False),
        ("https://lumen.guichet.example:8443", None, False),
        ("https://lumen.guichet.example.evil.example", None, False),
        ("https://LUMEN.guichet.example", None, False),
        (OWN + "/", None, False),
    ],
)
def test_a_form_says_where_it_comes_from(origin: str | None, site: str | None, taken: bool) -> None:
    headers = sent(origin=origin, site=site)
    assert accepted(headers, csrf_token(SESSION, LUMEN)) is taken
    # However well it says so, it needs the token besides.
    assert not accepted(headers, None)


@pytest.mark.parametrize(
    "headers",
    [
        sent(origin=OWN) + sent(origin=OWN),
        sent(origin=OWN) + sent(origin="https://evil.example"),
        sent(site="same-origin") + sent(site="cross-site"),
        [(b"Origin", b"https://evil.example"), *sent(origin=OWN)],
    ],
)
def test_headers_sent_twice_are_refused(headers: Headers) -> None:
    assert not accepted(headers, csrf_token(SESSION, LUMEN))


@pytest.mark.parametrize(
    "token",
    [
        csrf_token("T" * 43, LUMEN),
        csrf_token(SESSION, MARMITE),
        csrf_token(SESSION, LUMEN)[:-1],
        csrf_token(SESSION, LUMEN) + "=",
        csrf_token(SESSION, LUMEN).swapcase(),
        SESSION,
        "",
        "é",
        "\ud800",
    ],
)
def test_a_token_of_another_session_or_tenant_is_refused(token: str) -> None:
    assert not accepted(sent(origin=OWN), token)


def test_without_a_cookie_no_token_is_right() -> None:
    assert not accepted(sent(origin=OWN), csrf_token("", LUMEN), None)


def test_a_token_does_not_tell_the_secret_and_is_the_same_each_time() -> None:
    secret, tenant = new_token(), uuid4()
    token = csrf_token(secret, tenant)
    assert token == csrf_token(secret, tenant)
    assert secret not in token
    assert len(token) == 43
