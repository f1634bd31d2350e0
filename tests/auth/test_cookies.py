"""Our cookies cannot be planted by a neighbour, read by a script or smuggled in twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guichet.auth.cookies import (
    Cookies,
    DuplicateCookie,
    browser_cookie,
    read_cookies,
    session_cookie,
)
from guichet.auth.sessions import is_token
from guichet.settings import Settings

TOKEN = "A" * 43
OTHER = "B" * 43


def settings_of(base_domain: str) -> Settings:
    return Settings(database_url="", redis_url="", base_domain=base_domain, master_keys=())


HTTPS = settings_of("guichet.example")
LOCAL = settings_of("localhost:8000")


def read(*cookies: bytes, settings: Settings = HTTPS) -> Cookies:
    return read_cookies([(b"cookie", value) for value in cookies], settings)


def test_over_https_the_cookie_belongs_to_the_host_alone() -> None:
    header = session_cookie(HTTPS).holding(TOKEN).to_header(header="").strip()
    assert header.startswith(f"__Host-guichet-session={TOKEN};")
    flags = {part.strip().lower() for part in header.split(";")[1:]}
    assert flags == {"path=/", "httponly", "secure", "samesite=lax", "max-age=2592000"}


def test_on_localhost_it_goes_without_the_prefix_that_needs_https() -> None:
    header = session_cookie(LOCAL).holding(TOKEN).to_header(header="").strip().lower()
    assert header.startswith("guichet-session=")
    assert "secure" not in header
    assert "httponly" in header
    assert "samesite=lax" in header


def test_the_browser_cookie_ends_with_the_browser() -> None:
    header = browser_cookie(HTTPS).holding(TOKEN).to_header(header="").lower()
    assert "max-age" not in header
    assert "expires" not in header


def test_clearing_names_the_same_cookie() -> None:
    header = session_cookie(HTTPS).cleared().to_header(header="").lower()
    assert "max-age=0" in header
    assert "path=/" in header
    assert "secure" in header


def test_both_cookies_are_read_wherever_they_stand() -> None:
    line = f"a=1; __Host-guichet-browser={OTHER};  b=2;__Host-guichet-session={TOKEN}".encode()
    assert read(line) == Cookies(session=TOKEN, browser=OTHER)
    assert read(*line.split(b"; ")) == Cookies(session=TOKEN, browser=OTHER)


@pytest.mark.parametrize(
    "line",
    [
        b"__Host-guichet-session=%b; __Host-guichet-session=%b",
        b"__Host-guichet-session=%b; __Host-guichet-session=",
        b"__Host-guichet-session=; x=1; __Host-guichet-session=%b",
    ],
)
def test_one_of_our_names_sent_twice_is_refused(line: bytes) -> None:
    with pytest.raises(DuplicateCookie):
        read(line.replace(b"%b", TOKEN.encode()))
    with pytest.raises(DuplicateCookie):
        read(*line.replace(b"%b", TOKEN.encode()).split(b"; "))


@pytest.mark.parametrize(
    "line",
    [
        b"guichet-session=%b",
        b"__host-guichet-session=%b",
        b"__Host-guichet-session =%b",
        b'__Host-guichet-session="%b"',
        b"__Host-guichet-session=%b=",
        b"__Host-guichet-session=%bA",
        b"__Host-guichet-session= %b",
        b"x=__Host-guichet-session=%b",
        b"\xa0__Host-guichet-session=%b",
        b"\xe2\x80\x80__Host-guichet-session=%b",
        b"\x0b__Host-guichet-session=%b",
        b"\r\n__Host-guichet-session=%b",
        b"__Host-guichet-session=\xff" + b"A" * 42,
        b"__Host-guichet-session",
    ],
)
def test_what_is_not_exactly_ours_is_not_taken_for_it(line: bytes) -> None:
    assert read(line.replace(b"%b", TOKEN.encode())).session is None


def test_the_plain_name_is_not_read_where_https_is_spoken_nor_the_reverse() -> None:
    assert read(f"guichet-session={TOKEN}".encode()) == Cookies(None, None)
    assert read(f"__Host-guichet-session={TOKEN}".encode(), settings=LOCAL) == Cookies(None, None)


@given(st.lists(st.binary(max_size=200), max_size=4))
def test_no_header_breaks_the_reader(values: list[bytes]) -> None:
    found = read(*values)
    assert found.session is None or is_token(found.session)
