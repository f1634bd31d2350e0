"""Every route of the console and every role: who gets in, who is turned away, and how."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import httpx
import pytest
from litestar.routes import HTTPRoute

from guichet.app import console_app
from tests.console.conftest import AsStaff
from tests.console.town import EVERYBODY, Town, Who, post

#: Who may: written out once more, so that a slip in the console's own lists is seen.
AGENCY_OWNERS: tuple[Who, ...] = ("agency_owner",)
AGENCY: tuple[Who, ...] = ("agency_owner", "agency_member")
OWNERS: tuple[Who, ...] = ("agency_owner", "owner")
EDITORS: tuple[Who, ...] = ("agency_owner", "agency_member", "owner", "admin")
SUPPORTERS: tuple[Who, ...] = (*EDITORS, "support")
READERS: tuple[Who, ...] = (*SUPPORTERS, "analyst")
SIGNED_IN = EVERYBODY
OPEN: tuple[Who | None, ...] = (None, *EVERYBODY)

#: Of these places everybody else is outside, and is told that there is no such place.
INSIDE: dict[str, tuple[Who, ...]] = {
    "merchant": READERS,
    "agency": AGENCY,
}
#: An id, a token, a name of nothing.
NOTHING = "0" * 8


class Line(NamedTuple):
    """Who may use a route, and what it then answers to an empty form or query.

    `sign-in` is a redirect to that page. What `prepare` answers stands in the path; names that it
    leaves out are those of things that do not exist.
    """

    who: tuple[Who | None, ...]
    status: int | str = 200
    prepare: Callable[[Town], Awaitable[dict[str, str]]] | None = None


#: A failed payment's pages.
_PAYMENT = "/merchants/{merchant:str}/customers/{customer_id:str}/payments/{invoice_id:str}"

TABLE: dict[str, Line] = {
    "GET /": Line(SIGNED_IN, 303),
    "GET /assets/{folder:str}/{name:str}": Line(OPEN, 404),
    "GET /language/{language:str}": Line(OPEN, 404),
    "GET /sign-in": Line(OPEN, "signed in"),
    "GET /sign-in/oidc": Line(OPEN, 404),
    "GET /sign-in/oidc/callback": Line(OPEN, 404),
    "POST /sign-in/link": Line(OPEN, 422),
    "GET /sign-in/link/{token:str}": Line(OPEN, 400),
    "POST /sign-in/link/{token:str}": Line(OPEN, 400),
    "POST /sign-out": Line(SIGNED_IN, "sign-in"),
    # Figures, and an agency's merchants
    "GET /merchants/{merchant:str}": Line(READERS),
    "GET /merchants/{merchant:str}/overview/{chart:str}": Line(READERS, 404),
    "GET /agencies/{agency:str}": Line(AGENCY),
    "GET /agencies/{agency:str}/merchants/{slug:str}": Line(AGENCY, 404),
    "POST /agencies/{agency:str}/merchants/{slug:str}/suspend": Line(AGENCY, 404),
    "POST /agencies/{agency:str}/merchants/{slug:str}/resume": Line(AGENCY, 404),
    "GET /agencies/{agency:str}/new": Line(AGENCY),
    "POST /agencies/{agency:str}/new": Line(AGENCY, 400),
    "GET /invitations/{token:str}": Line(OPEN, 404),
    "POST /invitations/{token:str}": Line(OPEN, 404),
    # People
    "GET /merchants/{merchant:str}/members": Line(EDITORS),
    "POST /merchants/{merchant:str}/members": Line(EDITORS, 422),
    "POST /merchants/{merchant:str}/members/{person:str}/role": Line(EDITORS, 404),
    "POST /merchants/{merchant:str}/members/{person:str}/remove": Line(EDITORS, 404),
    "POST /merchants/{merchant:str}/invitations/{invitation:str}/resend": Line(EDITORS, 404),
    "POST /merchants/{merchant:str}/invitations/{invitation:str}/revoke": Line(EDITORS, 404),
    "GET /agencies/{agency:str}/members": Line(AGENCY),
    "POST /agencies/{agency:str}/members": Line(AGENCY_OWNERS, 422),
    "POST /agencies/{agency:str}/members/{person:str}/role": Line(AGENCY_OWNERS, 404),
    "POST /agencies/{agency:str}/members/{person:str}/remove": Line(AGENCY, 404),
    "POST /agencies/{agency:str}/invitations/{invitation:str}/resend": Line(AGENCY_OWNERS, 404),
    "POST /agencies/{agency:str}/invitations/{invitation:str}/revoke": Line(AGENCY_OWNERS, 404),
    "GET /merchants/{merchant:str}/audit": Line(EDITORS),
    "GET /merchants/{merchant:str}/audit.csv": Line(EDITORS),
    "GET /agencies/{agency:str}/audit": Line(AGENCY),
    "GET /agencies/{agency:str}/audit.csv": Line(AGENCY),
    # Settings
    "GET /merchants/{merchant:str}/branding": Line(EDITORS),
    "POST /merchants/{merchant:str}/branding": Line(EDITORS, 422),
    "GET /merchants/{merchant:str}/general": Line(EDITORS),
    "POST /merchants/{merchant:str}/general/language": Line(EDITORS, 409),
    "POST /merchants/{merchant:str}/general/support": Line(EDITORS, 303),
    "GET /merchants/{merchant:str}/pictures/{picture_id:str}": Line(EDITORS, 404),
    "GET /merchants/{merchant:str}/texts": Line(EDITORS),
    "POST /merchants/{merchant:str}/texts": Line(EDITORS, 303),
    "GET /merchants/{merchant:str}/customers": Line(SUPPORTERS),
    "GET /merchants/{merchant:str}/customers/{customer_id:str}": Line(SUPPORTERS, 404),
    "GET /merchants/{merchant:str}/customers/{customer_id:str}/portal": Line(SUPPORTERS, 404),
    "POST /merchants/{merchant:str}/customers/{customer_id:str}/portal": Line(SUPPORTERS, 404),
    f"GET {_PAYMENT}/retry": Line(SUPPORTERS, 404),
    f"POST {_PAYMENT}/retry": Line(SUPPORTERS, 404),
    f"GET {_PAYMENT}/stop": Line(EDITORS, 404),
    f"POST {_PAYMENT}/stop": Line(EDITORS, 404),
    "GET /merchants/{merchant:str}/retries": Line(EDITORS),
    "POST /merchants/{merchant:str}/retries": Line(EDITORS, 409),
    "GET /merchants/{merchant:str}/mails": Line(EDITORS),
    "POST /merchants/{merchant:str}/mails": Line(EDITORS, 303),
    "POST /merchants/{merchant:str}/mails/test": Line(EDITORS, 404),
    "GET /merchants/{merchant:str}/cancelling": Line(EDITORS),
    "POST /merchants/{merchant:str}/cancelling": Line(EDITORS, 409),
    "GET /merchants/{merchant:str}/changes": Line(EDITORS),
    "POST /merchants/{merchant:str}/changes": Line(EDITORS, 303),
    "GET /merchants/{merchant:str}/plans": Line(EDITORS),
    "POST /merchants/{merchant:str}/plans": Line(EDITORS, 303),
    "POST /merchants/{merchant:str}/plans/import": Line(EDITORS, 303),
    "GET /merchants/{merchant:str}/features": Line(EDITORS),
    "POST /merchants/{merchant:str}/features": Line(EDITORS, 409),
    # Publishing
    "GET /merchants/{merchant:str}/publish": Line(EDITORS),
    "POST /merchants/{merchant:str}/publish": Line(EDITORS, 422),
    "POST /merchants/{merchant:str}/publish/discard": Line(EDITORS, 422),
    "POST /merchants/{merchant:str}/publish/catch-up": Line(EDITORS, 422),
    "GET /merchants/{merchant:str}/history": Line(EDITORS),
    "GET /merchants/{merchant:str}/history/{version:int}": Line(EDITORS, 404),
    "POST /merchants/{merchant:str}/history/{version:int}/roll-back": Line(EDITORS, 422),
    "POST /merchants/{merchant:str}/history/{version:int}/draft": Line(EDITORS, 422),
    "GET /merchants/{merchant:str}/configuration": Line(EDITORS),
    "GET /merchants/{merchant:str}/configuration.json": Line(EDITORS),
    "POST /merchants/{merchant:str}/configuration": Line(EDITORS, 422),
    "GET /configuration.schema.json": Line(OPEN),
    # The payment provider
    "GET /merchants/{merchant:str}/connections": Line(EDITORS),
    "POST /merchants/{merchant:str}/connections/key": Line(EDITORS, 422),
    "POST /merchants/{merchant:str}/connections/endpoint": Line(EDITORS, 409),
    "POST /merchants/{merchant:str}/connections/check": Line(EDITORS, 503),
    "POST /merchants/{merchant:str}/connections/former": Line(EDITORS, 303),
    # Customers' sign-in
    "GET /merchants/{merchant:str}/sign-in-providers": Line(EDITORS),
    "POST /merchants/{merchant:str}/sign-in-providers": Line(EDITORS, 303),
    "POST /merchants/{merchant:str}/sign-in-providers/{provider:str}/remove": Line(EDITORS, 404),
    "POST /merchants/{merchant:str}/sign-in-providers/{provider:str}/secret": Line(EDITORS, 404),
    "POST /merchants/{merchant:str}/sign-in-providers/{provider:str}/secret/remove": Line(
        EDITORS, 404
    ),
    "POST /merchants/{merchant:str}/sign-in-providers/{provider:str}/check": Line(EDITORS, 404),
    "GET /merchants/{merchant:str}/sign-in-providers/{provider:str}/try": Line(EDITORS, 404),
    "GET /merchants/{merchant:str}/sign-in-providers/{provider:str}/callback": Line(EDITORS, 404),
    # Domains
    "GET /merchants/{merchant:str}/domains": Line(EDITORS),
    "POST /merchants/{merchant:str}/domains": Line(EDITORS, 422),
    "POST /merchants/{merchant:str}/domains/{domain:str}/check": Line(EDITORS, 404),
    "POST /merchants/{merchant:str}/domains/{domain:str}/remove": Line(EDITORS, 404),
}


def routes() -> set[str]:
    """As the decorators spell them; OPTIONS is Litestar's own."""
    return {
        f"{method} {path}"
        for route in console_app().routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for path in handler.paths
        for method in handler.http_methods
        if method != "OPTIONS"
    }


def test_each_route_has_a_line_of_its_own() -> None:
    assert routes() == set(TABLE)


@pytest.mark.parametrize("key", sorted(TABLE))
async def test_a_route_lets_in_whom_it_should(town: Town, as_staff: AsStaff, key: str) -> None:
    line = TABLE[key]
    prepared = await line.prepare(town) if line.prepare else {}
    # Whoever is let in may change what the next one would find, so the others come first.
    people = sorted((None, *EVERYBODY), key=lambda who: who in line.who)
    found = {}
    for who in people:
        answer = await _ask(await as_staff(who), key, prepared)
        found[who] = _outcome(answer)
    assert found == {who: _expected(key, line, who) for who in people}


async def _ask(client: httpx.AsyncClient, key: str, prepared: dict[str, str]) -> httpx.Response:
    method, path = key.split(" ")
    for name in ("merchant", "agency"):
        prepared = {name: {"merchant": "lumen", "agency": "atelier"}[name]} | prepared
    for part in path.split("/"):
        if part.startswith("{"):
            path = path.replace(part, prepared.get(part[1:].partition(":")[0].rstrip("}"), NOTHING))
    return await (post(client, path) if method == "POST" else client.get(path))


def _outcome(answer: httpx.Response) -> int | str:
    location = answer.headers.get("location", "")
    return "sign-in" if location.partition("?")[0] == "/sign-in" else answer.status_code


def _expected(key: str, line: Line, who: Who | None) -> int | str:
    if who in line.who:
        if line.status == "signed in":
            return 303 if who else 200
        return line.status
    if who is None:
        return "sign-in"
    place = key.split("/")[2].strip("{}").partition(":")[0] if key.count("/") > 1 else ""
    return 403 if who in INSIDE.get(place, ()) else 404
