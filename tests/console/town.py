"""Two agencies with a merchant each, the people who work there, and their browsers."""

import contextlib
from collections.abc import AsyncIterator
from typing import Literal, NamedTuple, get_args
from uuid import UUID

import httpx

from guichet.app import create_app
from guichet.auth.csrf import csrf_token
from guichet.auth.sessions import new_token
from guichet.auth.staff.links import NOBODY
from guichet.auth.staff.sessions import open_staff_session
from guichet.db import Database, connect
from guichet.deployment import Deployment
from guichet.edge.entrance import Edge
from guichet.settings import Settings
from tenants.agencies import Agency, add_agency
from tenants.members import put_agency_member, put_tenant_member
from tenants.staff import Role, Staff, add_staff
from tenants.tenant import Tenant, add_tenant

CONSOLE = "http://console.localhost:8000"
LUMEN = "http://lumen.localhost:8000"
#: The cookies' names, on localhost.
SESSION, BROWSER = "guichet-session", "guichet-browser"

#: The roles at Atelier and Lumen, and the owners of the agency and the merchant beside them.
Who = Role | Literal["owner_of_forge", "owner_of_volta"]
#: Everybody who is signed in.
EVERYBODY: tuple[Who, ...] = (*get_args(Role), "owner_of_forge", "owner_of_volta")


class Town(NamedTuple):
    """The agency Atelier with the merchant Lumen, the agency Forge with the merchant Volta."""

    edge: Edge
    deployment: Deployment
    atelier: Agency
    lumen: Tenant
    forge: Agency
    volta: Tenant

    @contextlib.asynccontextmanager
    async def browser(
        self, session: str = "", origin: str = CONSOLE, address: str = "203.0.113.7"
    ) -> AsyncIterator[httpx.AsyncClient]:
        """A browser that has the given session, or none."""
        transport = httpx.ASGITransport(app=self.edge, client=(address, 40000))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url=origin) as client:
            # Where the server's own cookies land, so that they take the place of these.
            domain = client.base_url.host
            client.cookies.set(BROWSER, new_token(), domain)
            if session:
                client.cookies.set(SESSION, session, domain)
            yield client

    async def hire(self, who: Who, email: str = "") -> Staff:
        """A person in this role; by default `<role>@example.com`."""
        async with self.deployment.db.system() as connection:
            staff = await add_staff(connection, email or f"{who}@example.com", who.title())
            match who:
                case "agency_owner":
                    await put_agency_member(connection, self.atelier.id, staff, "owner", "a test")
                case "agency_member":
                    await put_agency_member(connection, self.atelier.id, staff, "member", "a test")
                case "owner_of_forge":
                    await put_agency_member(connection, self.forge.id, staff, "owner", "a test")
                case "owner_of_volta":
                    await put_tenant_member(connection, self.volta.id, staff, "owner", "a test")
                case _:
                    await put_tenant_member(connection, self.lumen.id, staff, who, "a test")
        return staff

    async def session(self, staff: Staff) -> str:
        """The token of a new session."""
        async with self.deployment.db.system() as connection:
            return await open_staff_session(connection, staff.id, "link", "a test", None)

    async def link(self, staff: Staff, next_path: str = "/", age: str = "0 minutes") -> UUID:
        """The id of a link that was mailed to somebody so long ago."""
        async with self.deployment.db.system() as connection:
            made: UUID = await connection.fetchval(
                """
                insert into staff_links (staff_id, next_path, expires_at)
                values ($1, $2, now() + interval '15 minutes' - $3::text::interval)
                returning id
                """,
                staff.id,
                next_path,
                age,
            )
        return made


@contextlib.asynccontextmanager
async def open_town(settings: Settings) -> AsyncIterator[Town]:
    """Add both agencies with their merchants and open the web program, which knows them at once."""
    async with connect(settings.database_url, 1) as db, db.system() as connection:
        atelier = await add_agency(connection, "atelier", "Atelier")
        lumen = await add_tenant(connection, atelier, "lumen", "Lumen")
        forge = await add_agency(connection, "forge", "Forge")
        volta = await add_tenant(connection, forge, "volta", "Volta")
    edge = create_app(settings)
    async with edge.lifespan() as deployment:
        yield Town(edge, deployment, atelier, lumen, forge, volta)


async def sessions(db: Database) -> int:
    """How many sessions of staff are open."""
    async with db.system() as connection:
        counted: int = await connection.fetchval(
            "select count(1) from staff_sessions where revoked_at is null"
        )
    return counted


def csrf_of(client: httpx.AsyncClient) -> str:
    """The token that forms shown to this browser carry."""
    secret = client.cookies.get(SESSION) or client.cookies.get(BROWSER)
    assert secret is not None
    return csrf_token(secret, NOBODY)


async def post(
    client: httpx.AsyncClient,
    path: str,
    fields: dict[str, str] | None = None,
    files: dict[str, tuple[str, bytes, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    """Send a form as our own page would; `files` are name, bytes and media type by field."""
    return await client.post(
        path,
        data={"csrf": csrf_of(client)} | (fields or {}),
        files=files,
        headers={"origin": CONSOLE} | (headers or {}),
    )
