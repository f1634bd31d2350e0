"""What tests of a workspace's people ask for: roles, the log, invitations and their links."""

from typing import Any
from uuid import UUID

import httpx
import msgspec

from guichet.auth.mail_links import make_link_token
from guichet.auth.staff.links import NOBODY
from tenants.staff import find_staff
from tests.console.conftest import AsStaff
from tests.console.town import Town, post

MERCHANT, AGENCY = "/merchants/lumen", "/agencies/atelier"


async def id_of(town: Town, who: str) -> UUID:
    """The id of a person of `town.hire`."""
    async with town.deployment.db.system() as connection:
        found = await find_staff(connection, who if "@" in who else f"{who}@example.com")
    assert found is not None
    return found.id


async def roles(town: Town) -> dict[str, str]:
    """What everybody is at Lumen."""
    async with town.deployment.db.system() as connection:
        rows = await connection.fetch(
            "select email, role from tenant_members where tenant_id = $1", town.lumen.id
        )
    return {row["email"].removesuffix("@example.com"): row["role"] for row in rows}


async def agency_roles(town: Town) -> dict[str, str]:
    async with town.deployment.db.system() as connection:
        rows = await connection.fetch(
            "select email, role from agency_members where agency_id = $1", town.atelier.id
        )
    return {row["email"].removesuffix("@example.com"): row["role"] for row in rows}


async def log_of(town: Town) -> list[tuple[str, str, str, Any]]:
    """Actor, act, object and details of Lumen's audit log."""
    async with town.deployment.db.unit(town.lumen.id) as unit:
        rows = await unit.fetch(
            """
            select actor, action, object, details::text as details
            from audit_log
            where tenant_id = $1
            order by at
            """,
            town.lumen.id,
        )
    return [(*tuple(row)[:3], msgspec.json.decode(row["details"])) for row in rows]


async def link_of(town: Town, email: str) -> str:
    """The path of the newest invitation of an address, as its mail has it."""
    async with town.deployment.db.system() as connection:
        invited = await connection.fetchval(
            """
            select facts ->> 'invitation'
            from staff_messages
            where recipient = $1
            and kind <> 'sign_in'
            order by queued_at desc
            limit 1
            """,
            email,
        )
    keys = town.deployment.settings.master_keys
    return f"/invitations/{make_link_token(keys, NOBODY, UUID(invited), 'invitation')}"


async def invite(
    client: httpx.AsyncClient, email: str, role: str = "admin", place: str = MERCHANT
) -> httpx.Response:
    return await post(client, f"{place}/members", {"email": email, "role": role})


async def make_invitation(town: Town, as_staff: AsStaff, role: str = "admin") -> str:
    """An invitation of `new@example.com` by Lumen's owner; answers its path."""
    assert (await invite(await as_staff("owner"), "new@example.com", role)).status_code == 303
    return await link_of(town, "new@example.com")


async def mails_to_staff(town: Town) -> int:
    """How many were queued."""
    async with town.deployment.db.system() as connection:
        counted: int = await connection.fetchval("select count(1) from staff_messages")
    return counted
