"""The floor of the home page: what no Python program that shows this page can leave out.

`GET /` does four things, and nothing else:

1. reads `select portal_home($1, $2)` in one round trip, which makes the tenant the scope of
   row-level security, checks the session and answers JSON;
2. decodes the answer with msgspec into the Structs that the template reads;
3. renders the finished page's template, compiled once, with the finished page's theme;
4. sends the bytes with their type and length.

Everything else that the finished page does is left out: no framework and no routing, the host is
not read and no tenant is looked up (its id is a constant), no cookie is parsed and no token hashed
(the hash is a constant), the language is not negotiated, the page's frame (merchant's name, links,
form token, addresses of stylesheets) is made once at the start, there is no request id, no
security header, no time limit, no log, no counter, and no error is handled. The pool, the server
(granian on uvloop) and their settings are the finished program's own. The run compares the two
pages byte by byte before it measures.

`GET /bytes` does less than the page needs: after the same read it sends the page's bytes as they
were rendered at the start. It shows how much of the page is the template, and is no bar.
"""

import contextlib
import os
from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
from litestar.types import Receive, Scope, Send

from benchmarks.floors.serving import Answer, Pool, answer, open_pool, serve_floor
from guichet.auth.csrf import csrf_token
from guichet.auth.sessions import token_hash
from guichet.billing.changes import offer_of
from guichet.portal.brand import make_brand
from guichet.portal.home import Home
from guichet.theming.locale import LANGUAGES
from guichet.theming.pages import Pages
from guichet.theming.shell import Language, Shell
from guichet.theming.themes import themes_directory
from tenants.configuration import Configuration, Published

_HTML = b"text/html; charset=utf-8"
_LOCALE = "en"


class Given(msgspec.Struct, frozen=True):
    """The one visitor of the floor."""

    tenant_id: UUID
    tenant_name: str
    session_token: str
    configuration: Configuration


@contextlib.asynccontextmanager
async def open_home() -> AsyncIterator[Answer]:
    """The program, its pool open and its template compiled."""
    given = msgspec.json.decode(os.environ["FLOOR_GIVEN"], type=Given)
    async with open_pool() as pool:
        page = _Page(pool, given)
        await page.read()
        yield page.answer


class _Page:
    def __init__(self, pool: Pool, given: Given) -> None:
        self._pool = pool
        self._tenant_id = given.tenant_id
        self._token_hash = token_hash(given.session_token)
        self._decoder = msgspec.json.Decoder(Home)
        pages = Pages(themes_directory())
        brand = make_brand(pages, Published(1, given.configuration))
        self._template = pages.template(brand.theme, "home.html", _LOCALE)
        self._configuration = given.configuration
        self._offer = offer_of(given.configuration)
        self._shell = Shell(
            tenant_name=given.tenant_name,
            locale=_LOCALE,
            theme=brand.theme,
            scheme=brand.configuration.branding.scheme,
            stylesheets=brand.stylesheets,
            script=brand.script,
            logo=brand.logo,
            logo_dark=brand.logo_dark,
            icon=brand.icon,
            headline=brand.configuration.branding.headline.get(_LOCALE, ""),
            texts=brand.texts[_LOCALE],
            links=brand.configuration.branding.links,
            support_email=brand.configuration.support_email,
            csrf=csrf_token(given.session_token, given.tenant_id),
            signed_in=True,
            features=brand.configuration.features,
            languages=tuple(
                Language(code, label, f"/language/{code}?next=/", code == _LOCALE)
                for code, label in LANGUAGES.items()
            ),
        )
        self._rendered = b""

    async def read(self) -> None:
        """Render once, for `/bytes` and for the customer's name in the frame."""
        home = await self._home()
        label = home.session.customer_name or home.session.customer_email or ""
        self._shell = msgspec.structs.replace(self._shell, customer_label=label)
        self._rendered = self._render(home)

    async def _home(self) -> Home:
        document = await self._pool.fetchval(
            "select portal_home($1, $2)", self._tenant_id, self._token_hash
        )
        return self._decoder.decode(document)

    def _render(self, home: Home) -> bytes:
        return self._template.render(
            shell=self._shell,
            status=200,
            subscriptions=home.subscriptions,
            payment_method=home.payment_method,
            invoices=home.invoices,
            failed_payments=home.failed_payments,
            today=home.now,
            may_change=self._offer.may_change,
            may_change_overdue="past_due" in self._offer.statuses,
            may_cancel=self._configuration.cancel.enabled,
        ).encode()

    async def answer(self, scope: Scope, _receive: Receive, send: Send) -> None:
        home = await self._home()
        body = self._rendered if scope["path"] == "/bytes" else self._render(home)
        await answer(send, body, _HTML)


if __name__ == "__main__":
    serve_floor(open_home)
