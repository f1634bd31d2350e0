"""The console as it is in production: behind TLS, on a domain of its own."""

import contextlib
from collections.abc import AsyncIterator
from typing import NamedTuple

import httpx
import msgspec

from guichet.auth.csrf import csrf_token
from guichet.auth.sessions import new_token
from guichet.auth.staff.links import NOBODY
from guichet.settings import Settings
from tests.console.test_roles import NOTHING
from tests.console.town import Town, Who, open_town

DOMAIN = "guichet.example"
CONSOLE = f"https://console.{DOMAIN}"
PREVIEW = f"https://preview.{DOMAIN}"
SESSION, BROWSER = "__Host-guichet-session", "__Host-guichet-browser"
_PLACES = {"merchant": "lumen", "agency": "atelier"}


class Visitor(NamedTuple):
    """A browser, and the token that our forms in it carry."""

    client: httpx.AsyncClient
    csrf: str

    async def ask(
        self, key: str, fields: dict[str, str] | None = None, **names: str
    ) -> httpx.Response:
        """Ask for a line of the table of routes; of what `names` leaves out there is nothing."""
        method, path = key.split(" ")[0], path_of(key, **names)
        if method != "POST":
            return await self.client.request(method, path)
        form = {"csrf": self.csrf} | (fields or {})
        return await self.client.post(path, data=form, headers={"origin": CONSOLE})


def path_of(key: str, **names: str) -> str:
    """The path of a line of the table, at Atelier's Lumen unless it is said otherwise."""
    known = _PLACES | names
    parts = key.split(" ")[1].split("/")
    return "/".join(
        known.get(part[1:].partition(":")[0], NOTHING) if part.startswith("{") else part
        for part in parts
    )


@contextlib.asynccontextmanager
async def open_secure_town(settings: Settings) -> AsyncIterator[Town]:
    """The town, whose edge believes that a proxy in front of it speaks TLS."""
    async with open_town(msgspec.structs.replace(settings, base_domain=DOMAIN)) as town:
        yield town


@contextlib.asynccontextmanager
async def visit(town: Town, who: Who | None, origin: str = CONSOLE) -> AsyncIterator[Visitor]:
    """A browser of somebody in this role; one that was never here where `who` is nobody."""
    session = await town.session(await town.hire(who)) if who else ""
    browser = new_token()
    cookies = {SESSION: session, BROWSER: browser} if session else {}
    # What goes wrong inside is answered, as a server does, and not raised here.
    transport = httpx.ASGITransport(app=town.edge, raise_app_exceptions=False)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url=origin, cookies=cookies) as client:
        yield Visitor(client, csrf_token(session or browser, NOBODY))
