"""Our cookies: for a session, a sign-in's browser, the language, and a support view.

All are `__Host-` cookies: a browser takes them from this very host over HTTPS only, for all its
paths, so no other subdomain can plant or overwrite one (RFC 6265bis section 4.1.3.2). Plain HTTP
exists on `*.localhost` alone, where browsers refuse the prefix; the names then go without it.
"""

from collections.abc import Iterable

import msgspec
from litestar.datastructures import Cookie

from guichet.auth.sessions import LONGEST_SECONDS, is_token
from guichet.auth.support import KEPT_SECONDS
from guichet.errors import MalformedRequest
from guichet.settings import Settings

_YEAR_SECONDS = 365 * 24 * 3600


class DuplicateCookie(MalformedRequest):
    """Your browser sent two sign-in cookies. Please delete this site's cookies and try again."""

    code = "duplicate_cookie"


class CookieKind(msgspec.Struct, frozen=True):
    """Name and flags of one of our cookies."""

    name: str
    secure: bool
    #: Seconds that a browser keeps it; None ends it with the browser.
    max_age: int | None

    def holding(self, value: str) -> Cookie:
        """The `Set-Cookie` that gives it a value."""
        return self._cookie(value, self.max_age)

    def cleared(self) -> Cookie:
        """The `Set-Cookie` that removes it."""
        return self._cookie("", 0)

    def _cookie(self, value: str, max_age: int | None) -> Cookie:
        return Cookie(
            key=self.name,
            value=value,
            path="/",
            max_age=max_age,
            secure=self.secure,
            httponly=True,
            # Lax, since a provider's redirect back to us is a navigation from another site.
            samesite="lax",
        )


class Cookies(msgspec.Struct, frozen=True):
    """What a request's `Cookie` header holds of ours; None for a value that cannot be ours."""

    session: str | None
    browser: str | None
    support: str | None = None


def session_cookie(settings: Settings) -> CookieKind:
    """The cookie that holds a session's token."""
    return _kind(settings, "guichet-session", LONGEST_SECONDS)


def browser_cookie(settings: Settings) -> CookieKind:
    """The cookie that a sign-in under way, and a form for visitors, are bound to."""
    return _kind(settings, "guichet-browser", None)


def language_cookie(settings: Settings) -> CookieKind:
    """The cookie that remembers the language chosen in this browser."""
    return _kind(settings, "guichet-language", _YEAR_SECONDS)


def support_cookie(settings: Settings) -> CookieKind:
    """The cookie that holds the token of a support view, beside a customer's own session."""
    return _kind(settings, "guichet-support", KEPT_SECONDS)


def _kind(settings: Settings, name: str, max_age: int | None) -> CookieKind:
    secure = settings.url_scheme == "https"
    return CookieKind(f"__Host-{name}" if secure else name, secure, max_age)


def read_cookies(headers: Iterable[tuple[bytes, bytes]], settings: Settings) -> Cookies:
    """Read our cookies from a request's raw headers.

    Strict where frameworks are lenient: bytes, no unquoting, no trimming beyond the blank that
    follows a semicolon, so nothing but the exact name is taken for ours. Raises `DuplicateCookie`
    when one of our names comes twice: a browser cannot hold two, so one was smuggled in.
    """
    # HTTP/2 may split the header; joined by semicolons it is whole again (RFC 9113, 8.2.3).
    raw = b";".join(value for name, value in headers if name.lower() == b"cookie")
    kinds = (session_cookie, browser_cookie, support_cookie)
    return Cookies(*(_value(raw, kind(settings).name) for kind in kinds))


def _value(raw: bytes, name: str) -> str | None:
    found = cookie_values(raw, name)
    if len(found) > 1:
        raise DuplicateCookie
    return found[0] if found and is_token(found[0]) else None


def cookie_values(raw: bytes, name: str) -> list[str]:
    """Every value of this very name in a `Cookie` header, as it was sent.

    The standard library's parser also unquotes, in quadratic time in some versions of Python
    (CVE-2024-7592).
    """
    start = name.encode() + b"="
    parts = (part.strip(b" \t") for part in raw.split(b";"))
    return [part[len(start) :].decode("latin-1") for part in parts if part.startswith(start)]
