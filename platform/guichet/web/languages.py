"""The switch between languages that every page shows."""

import re
from functools import lru_cache
from urllib.parse import quote

from guichet.auth.cookies import cookie_values, language_cookie
from guichet.settings import Settings
from guichet.theming.locale import LANGUAGES
from guichet.theming.shell import Language

# Below these, what comes back from an identity provider can be used once: its page cannot be
# shown again, and what the provider said stands in no link.
_ONCE = re.compile(r"((?:/merchants/[^/]+)?/sign-in(?:-providers)?)/")


def chosen_language(cookies: bytes, settings: Settings) -> str | None:
    """The language that was chosen in this browser; `cookies` is the raw header."""
    given = cookie_values(cookies, language_cookie(settings).name)
    return next((value for value in given if value in LANGUAGES), None)


# Of the places that visitors come to most.
@lru_cache(maxsize=128)
def language_links(locale: str, place: str) -> tuple[Language, ...]:
    """The switch on a page; `place` is its path and query."""
    once = _ONCE.match(place)
    target = once[1] if once else quote(place, safe="/")
    return tuple(
        Language(code, label, f"/language/{code}?next={target}", code == locale)
        for code, label in LANGUAGES.items()
    )
