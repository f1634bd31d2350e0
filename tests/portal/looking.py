"""One of a merchant's staff at a customer's portal, as the console lets them in."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from guichet.auth.sessions import token_hash
from guichet.auth.staff.sessions import open_staff_session
from guichet.auth.support import make_view
from tenants.members import put_tenant_member
from tenants.staff import Staff, TenantRole, add_staff
from tests.portal.shop import Customer, Shop

CONSOLE = "http://console.localhost:8000"
COOKIE = "guichet-support"


class Helper(NamedTuple):
    """Somebody who helps customers, signed in at the console."""

    shop: Shop
    staff: Staff
    #: The session's token, and its id.
    token: str
    session_id: UUID

    async def hand_over(self, who: str = "ada") -> str:
        """What the console's page would hand to the portal."""
        customer_id = await self.shop.customer_id(who)
        async with self.shop.deployment.db.unit(self.shop.tenant_id) as unit:
            made = await make_view(unit, customer_id, self.staff, self.session_id)
        return made.token

    @contextlib.asynccontextmanager
    async def looking(self, who: str = "ada") -> AsyncIterator[Customer]:
        """A browser in a support view of one of the demo's people."""
        async with self.shop.visitor() as browser:
            await take_over(browser, await self.hand_over(who))
            browser.customer_id = await self.shop.customer_id(who)
            yield browser


async def hire(shop: Shop, role: TenantRole = "support") -> Helper:
    """Somebody with this role, who is signed in."""
    async with shop.deployment.db.system() as connection:
        staff = await add_staff(connection, f"{role}@example.com", "Mia Martin")
        await put_tenant_member(connection, shop.tenant_id, staff, role, "a test")
        token = await open_staff_session(connection, staff.id, "link", "a test", None)
        session_id: UUID = await connection.fetchval(
            "select id from staff_sessions where token_hash = $1", token_hash(token)
        )
    return Helper(shop, staff, token, session_id)


async def take_over(browser: Customer, token: str) -> None:
    """Send the form of the console's page, as its browser does."""
    answer = await browser.client.post(
        "/support-view",
        data={"token": token},
        headers={"origin": CONSOLE},
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/"), answer.text


async def log_of(shop: Shop) -> list[tuple[str, str, str, dict[str, Any]]]:
    """Actor, act, object and details of what the audit log tells of support views."""
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        rows = await unit.fetch(
            """
            select actor, action, object, details::text as details
            from audit_log
            where tenant_id = $1
            and action like 'support_view.%'
            order by at
            """,
            shop.tenant_id,
        )
    return [(*tuple(row)[:3], msgspec.json.decode(row["details"])) for row in rows]


async def age_views(shop: Shop, by: str) -> None:
    """Let so much time go by for all views."""
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        await unit.execute(
            """
            update support_views
            set expires_at = expires_at - $2::text::interval
            where tenant_id = $1
            """,
            shop.tenant_id,
            by,
        )
