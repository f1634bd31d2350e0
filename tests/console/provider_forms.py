"""The forms for one sign-in provider of Lumen's, and what sending them leaves behind."""

import httpx

from tenants.drafts import load_draft
from tenants.identity_providers import IdentityProvider
from tests.auth.hostile_provider import HostileProvider
from tests.console.forms import Forms
from tests.console.town import Town, post

PAGE = "/merchants/lumen/sign-in-providers"

SECRET = "planted client/secret".replace(" ", ":")


def fields(issuer: str, **changed: str) -> dict[str, str]:
    row = {
        "id": "work",
        "label": "Work",
        "issuer": issuer,
        "client_id": "guichet",
        "scopes": "openid, email",
        "endpoint_hosts": "",
    }
    return {f"identity_providers[0].{name}": text for name, text in (row | changed).items()}


async def save(client: httpx.AsyncClient, issuer: str, **changed: str) -> httpx.Response:
    """Put one provider into the draft, as the page's form does."""
    seen = Forms((await client.get(f"{PAGE}?add=custom")).text).by_action[""]["seen"]
    return await post(client, PAGE, {"seen": seen, **fields(issuer, **changed)})


async def set_secret(client: httpx.AsyncClient, value: str = SECRET) -> httpx.Response:
    return await post(client, f"{PAGE}/work/secret", {"secret-work": value})


async def try_it(client: httpx.AsyncClient, provider: HostileProvider) -> str:
    """Begin a trial and consent; answers the address that the provider sends the browser to."""
    started = await client.get(f"{PAGE}/work/try")
    assert started.status_code == 303, started.text
    async with httpx.AsyncClient(trust_env=False) as web:
        consented = await web.get(started.headers["location"])
    back: str = consented.headers["location"]
    assert back.startswith(f"http://console.localhost:8000{PAGE}/work/callback?")
    return back


async def count(town: Town, table: str) -> int:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        rows = await unit.fetchval(
            f"select count(1) from {table} where tenant_id = $1", town.lumen.id
        )
    return int(rows)


async def providers_of(town: Town) -> tuple[IdentityProvider, ...]:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        draft = await load_draft(unit.connection, unit.tenant_id)
    return draft.configuration.identity_providers
