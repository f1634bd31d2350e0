"""Secrets that were planted are in no page, file, log, row, queue or figure of the console.

The web program and the worker are real processes, since what they log goes to their output alone.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

import asyncpg
import httpx
import pytest

from guichet.auth.staff.links import staff_link_token
from guichet.auth.staff.preview_links import open_preview
from guichet.embedded.postgres import EmbeddedPostgres
from guichet.embedded.programs import free_port
from guichet.payments.choose import WEBHOOK_SECRET
from guichet.settings import Settings
from tenants.drafts import load_draft
from tests.auth.hostile_provider import HostileProvider
from tests.console.forms import Forms
from tests.console.people import invite, link_of
from tests.console.planting import found, plant
from tests.console.processes import Processes, running
from tests.console.secure import path_of
from tests.console.test_roles import TABLE
from tests.console.town import BROWSER, CONSOLE, SESSION, Town, open_town, post
from tests.isolation.crawler import as_text
from tests.shops import open_shop

LUMEN = "/merchants/lumen"
PROVIDERS = f"{LUMEN}/sign-in-providers"


@pytest.fixture
def identity() -> Iterator[HostileProvider]:
    """Where Lumen's customers and the deployment's staff sign in."""
    with HostileProvider(client_secret=plant("client-")) as provider:
        provider.user |= {"email": "nobody@example.com"}
        yield provider


class House(NamedTuple):
    """The town, the processes that answer for it, and all that somebody could steal."""

    town: Town
    processes: Processes
    identity: HostileProvider
    #: Somebody who buys from Lumen.
    customer: str
    #: Opens something for whoever has it; no answer holds it.
    secrets: dict[str, str]
    #: Tokens of links, which the pages that they lead to hold.
    links: dict[str, str]
    #: All that was answered.
    seen: list[str]

    async def signing_secret(self) -> str:
        vault, lumen = self.town.deployment.vault, self.town.lumen.id
        async with self.town.deployment.db.unit(lumen) as unit:
            secret = await vault.open(unit.connection, lumen, WEBHOOK_SECRET)
        assert secret is not None
        return secret

    async def worked(self) -> bool:
        """Whether the worker has read the account, and has tried to hand a mail over."""
        async with self.town.deployment.db.system() as connection:
            tried = await connection.fetchval(
                "select count(1) from staff_messages where reason is not null"
            )
        async with self.town.deployment.db.unit(self.town.lumen.id) as unit:
            customers = await unit.fetchval("select count(1) from customers")
        return bool(tried and customers)


@pytest.fixture
async def house(
    settings: Settings, identity: HostileProvider, postgres: EmbeddedPostgres, tmp_path: Path
) -> AsyncIterator[House]:
    password = plant("smtp-")
    told = {
        "GUICHET_LOG_LEVEL": "debug",
        # Nobody answers there: what fails and is tried again is what is told of.
        "GUICHET_SMTP_URL": f"smtps://guichet:{password}@127.0.0.1:{free_port()}",
        "GUICHET_MAIL_FROM": "guichet@guichet.example",
        "GUICHET_STAFF_OIDC_ISSUER": identity.issuer,
        "GUICHET_STAFF_OIDC_CLIENT_ID": identity.client_id,
        "GUICHET_STAFF_OIDC_CLIENT_SECRET": identity.client_secret,
    }
    planted = {
        "master key": settings.master_keys[0],
        "client secret": identity.client_secret,
        "SMTP password": password,
        "key": plant("sk_test_"),
        "refused key": plant("sk_live_"),
    }
    async with open_town(settings) as town, open_shop(settings.stripe_url, planted["key"]) as shop:
        customer = await shop.add_customer()
        with running(settings, postgres, tmp_path, told) as processes:
            yield House(town, processes, identity, customer, planted, {}, [])


class Walk(NamedTuple):
    """What one browser does, and all that it is answered but for its cookies."""

    client: httpx.AsyncClient
    seen: list[str]

    def note(self, answer: httpx.Response) -> httpx.Response:
        said = as_text(answer)
        for cookie in answer.headers.get_list("set-cookie"):
            said = said.replace(cookie, "")
        self.seen.append(said)
        return answer

    async def get(self, path: str) -> httpx.Response:
        return self.note(await self.client.get(path))

    async def post(self, path: str, fields: dict[str, str] | None = None) -> httpx.Response:
        return self.note(await post(self.client, path, fields))


async def come_in_by_links(house: House) -> None:
    """By a mailed link and by an invitation, each tried again when it is over."""
    town = house.town
    keys = town.deployment.settings.master_keys
    owner = await town.session(await town.hire("owner"))
    async with house.processes.browser(owner) as client:
        assert (await invite(client, "new@example.com")).status_code == 303
    link = await town.link(await town.hire("admin"))
    house.secrets["owner's session"] = owner
    house.links["sign-in link"] = staff_link_token(keys, link)
    house.links["invitation"] = (await link_of(town, "new@example.com")).rpartition("/")[2]
    for name, folder in (("sign-in link", "/sign-in/link"), ("invitation", "/invitations")):
        path = f"{folder}/{house.links[name]}"
        async with house.processes.browser() as client:
            assert (await client.get(path)).status_code == 200
            assert (await Walk(client, house.seen).post(path)).status_code == 303
            house.secrets[f"session by {name}"] = str(client.cookies[SESSION])
            assert (await client.get(path)).status_code in (400, 404)


async def go_to_the_provider(house: House, client: httpx.AsyncClient, start: str) -> None:
    """Consent there and come back, twice."""
    walk = Walk(client, house.seen)
    started = await client.get(start)
    assert started.status_code == 303, started.text
    async with httpx.AsyncClient(trust_env=False) as elsewhere:
        consented = await elsewhere.get(started.headers["location"])
    back = consented.headers["location"].removeprefix(CONSOLE)
    for _ in range(2):
        await walk.get(back)
    query = dict(parse_qsl(urlsplit(back).query))
    house.links.update({f"{name} for {start}": query[name] for name in ("code", "state")})


async def connect(house: House, walk: Walk) -> None:
    """Give the merchant's key and client secret, badly and well."""
    planted = house.secrets
    for key in (planted["refused key"], f"{planted['key']} {planted['key']}"):
        answer = await walk.post(f"{LUMEN}/connections/key", {"key": key})
        assert answer.status_code == 422
    answer = await walk.post(f"{LUMEN}/connections/key", {"key": planted["key"]})
    assert answer.status_code == 303, answer.text
    planted["signing secret"] = await house.signing_secret()
    seen = Forms((await walk.get(f"{PROVIDERS}?add=custom")).text).by_action[""]["seen"]
    row = {"id": "work", "label": "Work", "issuer": house.identity.issuer, "client_id": "guichet"}
    row |= {"scopes": "openid, email", "endpoint_hosts": ""}
    fields = {f"identity_providers[0].{name}": text for name, text in row.items()}
    assert (await walk.post(PROVIDERS, {"seen": seen} | fields)).status_code == 303
    for secret, status in (("client secret", 303), ("client secret with a blank", 422)):
        value = planted["client secret"] + (" x" if status != 303 else "")
        answer = await walk.post(f"{PROVIDERS}/work/secret", {"secret-work": value})
        assert answer.status_code == status, secret
    for act in ("connections/endpoint", "connections/check", "plans/import"):
        assert (await walk.post(f"{LUMEN}/{act}")).status_code == 303
    assert (await walk.post(f"{PROVIDERS}/work/check")).status_code == 200
    planted["newer signing secret"] = await house.signing_secret()


async def publish(house: House, walk: Walk) -> None:
    async with house.town.deployment.db.unit(house.town.lumen.id) as unit:
        state = (await load_draft(unit.connection, unit.tenant_id)).state
    assert (await walk.post(f"{LUMEN}/publish", {"seen": state})).status_code == 303


async def ask_everything(house: House, walk: Walk) -> None:
    """Each route with the secrets in the fields that are for them, also in a refused form."""
    fields = {"key": house.secrets["key"], "secret-work": house.secrets["client secret"]}
    for key in sorted(TABLE):
        path = path_of(key, provider="work", chart="mrr.csv", version="1")
        if key.startswith("GET "):
            await walk.get(path)
        elif not path.endswith("/sign-out"):
            walk.note(await walk.client.post(path, data=fields, headers={"origin": CONSOLE}))
            await walk.post(path, fields)
    assert (await walk.get(f"{LUMEN}/configuration.json?version=draft")).status_code == 200


async def break_and_ask(house: House, walk: Walk) -> None:
    """What a page and the log say when the vault is not there."""
    database = await asyncpg.connect(house.processes.settings.owner_database_url)
    await database.execute("alter table secrets rename to misplaced")
    try:
        for path, field in (("connections/key", "key"), ("sign-in-providers/work/secret", "")):
            fields = {field or "secret-work": house.secrets["key" if field else "client secret"]}
            answer = await walk.post(f"{LUMEN}/{path}", fields)
            assert answer.status_code == 500
    finally:
        await database.execute("alter table misplaced rename to secrets")
        await database.close()


async def preview(house: House, walk: Walk) -> None:
    """A page of the draft, whose token the console's own pages hold in the frame's address."""
    town = house.town
    staff = await town.hire("agency_owner")
    async with town.deployment.db.unit(town.lumen.id) as unit:
        token = await open_preview(unit, town.deployment.settings.master_keys, staff.id)
    host = {"host": "preview.localhost:8000"}
    answer = await walk.client.get(f"/lumen/{token}/home", headers=host)
    assert answer.status_code == 200
    house.links["preview"] = token


async def look_as_support(house: House, walk: Walk) -> None:
    """See the portal as a customer does; the one page that hands over holds the token for it."""
    path = f"{LUMEN}/customers/{house.customer}/portal"
    await walk.get(path)
    ready = await post(walk.client, path, {"reason": "Because."})
    token = re.search(r'name="token" value="([^"]+)"', ready.text)
    assert token, ready.text
    house.links["hand-over"] = token[1]
    headers = {"host": "lumen.localhost:8000", "origin": CONSOLE}
    async with house.processes.browser() as portal:
        for status in (303, 403):
            form = {"token": token[1]}
            begun = await portal.post("/support-view", data=form, headers=headers)
            assert begun.status_code == status, begun.text
        house.secrets["support view"] = str(portal.cookies["guichet-support"])
        for page in ("/", "/invoices", "/no-such-page"):
            Walk(portal, house.seen).note(await portal.get(page, headers=headers))


async def test_planted_secrets_are_found_nowhere(house: House) -> None:
    await come_in_by_links(house)
    async with house.processes.browser() as client:
        await go_to_the_provider(house, client, "/sign-in/oidc")
        house.secrets["browser"] = str(client.cookies[BROWSER])
    session = await house.town.session(await house.town.hire("agency_owner"))
    house.secrets["agency owner's session"] = session
    async with house.processes.browser(session) as client:
        walk = Walk(client, house.seen)
        await connect(house, walk)
        await go_to_the_provider(house, client, f"{PROVIDERS}/work/try")
        await publish(house, walk)
        await preview(house, walk)
        async with asyncio.timeout(60):
            while not await house.worked():
                await asyncio.sleep(0.1)
        await look_as_support(house, walk)
        await break_and_ask(house, walk)
        await ask_everything(house, walk)
    assert len(house.seen) > len(TABLE)
    assert found(house.secrets, house.seen) == set()
    assert found(house.links, house.seen) <= {"preview"}
    everything = house.secrets | house.links
    processes = house.processes
    left = {
        "logs": processes.logs(),
        "rows": await processes.rows(),
        "queue": processes.queue(),
        "metrics": [await processes.metrics()],
    }
    for place, texts in left.items():
        # Something is told there, and nothing of these.
        assert (place, bool(texts), found(everything, texts)) == (place, True, set())
