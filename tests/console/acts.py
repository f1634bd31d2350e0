"""What is done in the console by one click each, and how often it was done."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple
from uuid import UUID

from guichet.auth.staff.invitations import invite
from guichet.db import Database
from tenants.configuration import Configuration, load_published, publish
from tenants.drafts import load_draft, replace_draft
from tenants.hosts import add_host
from tenants.staff import find_merchant_workspace
from tests.console.people import AGENCY, MERCHANT
from tests.console.town import Town, Who

Fields = dict[str, str]
#: How often it was done, for the merchant with this id.
Times = Callable[[Database, UUID], Awaitable[int]]
_BEFORE, _AFTER = (Configuration(support_email=f"{it}@lumen.example") for it in ("old", "new"))


class Act(NamedTuple):
    """One button: who presses it, what it is for, and a number that is 1 when it was done once."""

    prepare: Callable[[Town], Awaitable[tuple[str, Fields]]]
    times: Times
    who: Who = "owner"


def _told(action: str) -> Times:
    """How often the merchant's log tells of an act."""

    async def count(db: Database, tenant_id: UUID) -> int:
        async with db.unit(tenant_id) as unit:
            counted: int = await unit.fetchval(
                """
                select count(1)
                from audit_log
                where tenant_id = $1
                and action = $2
                and actor_kind = 'staff'
                """,
                tenant_id,
                action,
            )
        return counted

    return count


def _rows(sql: str) -> Times:
    """How many rows there are; told by a statement of what stands in no tenant's scope."""

    async def count(db: Database, _tenant_id: UUID) -> int:
        async with db.system() as connection:
            counted: int = await connection.fetchval(sql)
        return counted

    return count


async def _changed_draft(town: Town) -> str:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        await publish(unit.connection, unit.tenant_id, _BEFORE, "a test")
        draft = await replace_draft(unit.connection, unit.tenant_id, _AFTER, "a test")
    return draft.state


async def _to_publish(town: Town) -> tuple[str, Fields]:
    return f"{MERCHANT}/publish", {"seen": await _changed_draft(town), "reason": "Because."}


async def _to_discard(town: Town) -> tuple[str, Fields]:
    return f"{MERCHANT}/publish/discard", {"seen": await _changed_draft(town)}


async def _to_roll_back(town: Town) -> tuple[str, Fields]:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        for configuration in (_BEFORE, _AFTER):
            await publish(unit.connection, unit.tenant_id, configuration, "a test")
        now = await load_published(unit.connection, unit.tenant_id)
    path = f"{MERCHANT}/history/{now.version - 1}/roll-back"
    return path, {"seen": str(now.version), "reason": "Because."}


async def _to_save(town: Town) -> tuple[str, Fields]:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        draft = await load_draft(unit.connection, unit.tenant_id)
    seen = draft.fingerprint("cancel")
    return f"{MERCHANT}/cancelling", {"seen": seen, "cancel.when": "now", "cancel.reasons": "off"}


async def _to_invite(_town: Town) -> tuple[str, Fields]:
    return f"{MERCHANT}/members", {"email": "new@example.com", "role": "admin"}


async def _to_remove(town: Town) -> tuple[str, Fields]:
    staff = await town.hire("support")
    return f"{MERCHANT}/members/{staff.id}/remove", {}


async def _to_change_role(town: Town) -> tuple[str, Fields]:
    staff = await town.hire("analyst")
    return f"{MERCHANT}/members/{staff.id}/role", {"role": "support"}


async def _to_claim(_town: Town) -> tuple[str, Fields]:
    return f"{MERCHANT}/domains", {"domain": "billing.lumen.example"}


async def _to_open(_town: Town) -> tuple[str, Fields]:
    token = UUID(int=7).hex
    return f"{AGENCY}/new", {"name": "Nova", "slug": "nova", "locale": "en", "token": token}


async def _to_suspend(_town: Town) -> tuple[str, Fields]:
    return f"{AGENCY}/merchants/lumen/suspend", {"reason": "Because."}


async def _to_take_back(town: Town) -> tuple[str, Fields]:
    staff = await town.hire("admin", "host@example.com")
    async with town.deployment.db.system() as connection:
        place = await find_merchant_workspace(connection, staff.id, "lumen")
        assert place is not None
        invited = await invite(connection, place, "new@example.com", "admin", staff, "en")
    return f"{MERCHANT}/invitations/{invited}/revoke", {}


async def _to_give_up(town: Town) -> tuple[str, Fields]:
    async with town.deployment.db.system() as connection:
        await add_host(connection, town.lumen.id, "billing.lumen.example")
    return f"{MERCHANT}/domains/billing.lumen.example/remove", {}


async def _to_take_up(town: Town) -> tuple[str, Fields]:
    """A former version into the draft."""
    path, form = await _to_roll_back(town)
    async with town.deployment.db.unit(town.lumen.id) as unit:
        draft = await load_draft(unit.connection, unit.tenant_id)
    return path.replace("roll-back", "draft"), form | {"seen": draft.state}


ACTS = {
    "publish": Act(_to_publish, _told("configuration.published")),
    "discard": Act(_to_discard, _told("draft.discarded")),
    "roll back": Act(_to_roll_back, _told("configuration.rolled_back")),
    "save": Act(_to_save, _told("draft.saved")),
    "invite": Act(_to_invite, _rows("select count(1) from tenant_invitations")),
    "remove": Act(_to_remove, _told("member.removed")),
    "change a role": Act(_to_change_role, _told("member.changed")),
    "claim a domain": Act(_to_claim, _told("host.added")),
    "open a portal": Act(
        _to_open, _rows("select count(1) from tenants where slug = 'nova'"), "agency_owner"
    ),
    "take back": Act(_to_take_back, _told("invitation.revoked")),
    "give up a domain": Act(_to_give_up, _told("host.removed")),
    "take up a version": Act(_to_take_up, _told("draft.replaced")),
    "suspend": Act(_to_suspend, _told("tenant.suspended"), "agency_owner"),
}
