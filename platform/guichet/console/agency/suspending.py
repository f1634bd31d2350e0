"""Closing a merchant's portal, and opening it again: with a reason, which both audit logs keep."""

from typing import Annotated
from urllib.parse import urlencode

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter
from litestar.response.base import ASGIResponse

from guichet.audit import Actor
from guichet.console.access import AGENCY
from guichet.console.visit import Visit
from guichet.errors import NotFound
from guichet.tenancy import Registry
from guichet.theming.locale import gettext
from tenants.tenant import Status, UnknownTenant

_LONGEST_REASON = 500

Slug = Annotated[str, PathParameter(max_length=64)]


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


class Standing(msgspec.Struct, frozen=True):
    """A merchant of the agency, as far as this page names it."""

    slug: str
    name: str
    status: str


@get("/agencies/{agency:str}/merchants/{slug:str}", opt=AGENCY)
async def merchant(visit: NamedDependency[Visit], slug: Slug) -> ASGIResponse:
    """Ask for the reason."""
    return await _ask(visit, slug, {}, {})


@post("/agencies/{agency:str}/merchants/{slug:str}/suspend", opt=AGENCY)
async def suspend(visit: NamedDependency[Visit], slug: Slug) -> ASGIResponse:
    """Close a merchant's portal."""
    return await _set_status(visit, slug, "suspended")


@post("/agencies/{agency:str}/merchants/{slug:str}/resume", opt=AGENCY)
async def resume(visit: NamedDependency[Visit], slug: Slug) -> ASGIResponse:
    """Open it again."""
    return await _set_status(visit, slug, "active")


async def _set_status(visit: Visit, slug: str, status: Status) -> ASGIResponse:
    reason = visit.form.get("reason", "").strip()
    if not reason or len(reason) > _LONGEST_REASON:
        told = gettext(visit.locale)(_("Please say why, in up to 500 characters."))
        return await _ask(visit, slug, {"reason": reason}, {"reason": told}, status=422)
    registry = Registry(
        visit.deployment.settings,
        visit.deployment.db,
        Actor("staff", visit.staff.email),
        visit.request_id,
    )
    try:
        await registry.set_status(slug, status, reason, visit.place.slug)
    except UnknownTenant:
        raise NotFound from None
    return visit.redirect(visit.path(f"?{urlencode({'q': slug})}"))


async def _ask(
    visit: Visit, slug: str, fields: dict[str, str], mistakes: dict[str, str], status: int = 200
) -> ASGIResponse:
    """The page as the merchant stands; raises `NotFound` for one of another agency."""
    async with visit.deployment.db.agency(visit.place.id) as connection:
        row = await connection.fetchrow(
            """
            select slug, name, status
            from tenants
            where agency_id = $1
            and slug = $2
            """,
            visit.place.id,
            slug,
        )
    if row is None:
        raise NotFound
    found = Standing(**row)
    return visit.page(
        "agency_merchant.html",
        status=status,
        merchant=found,
        is_suspended=found.status == "suspended",
        fields=fields,
        mistakes=mistakes,
    )


HANDLERS = (merchant, suspend, resume)
