"""A new merchant in a minute: its name, then its address, language and beginning.

The first step is a plain GET, so that the second one can suggest an address without a script.
"""

import asyncio
import contextlib
import uuid
from typing import Annotated
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response.base import ASGIResponse

from guichet.audit import Actor
from guichet.auth.staff.invitations import invite
from guichet.auth.staff.mail import SEND_STAFF_MESSAGES
from guichet.console.access import AGENCY
from guichet.console.visit import Visit
from guichet.db import Unit
from guichet.errors import MalformedRequest
from guichet.metrics.portfolio import Key, Merchant, list_by_name
from guichet.tenancy.opening import Opening, is_free, open_portal
from guichet.theming.locale import LANGUAGES, gettext
from guichet.web.forms import Form
from tenants.errors import TenantsError
from tenants.invitations import list_invitations
from tenants.slugs import MalformedSlug, ReservedSlug, SlugTaken, check_slug, suggest_slug
from tenants.staff import MalformedEmail, canonical_email, find_merchant_workspace
from tenants.tenant import UnknownTenant

_LONGEST_NAME = 200
#: A suggestion that is taken gets a number; after so many somebody has to think of another name.
_SUGGESTIONS = 20
_LONGEST_WAIT_SECONDS = 1.0
_LOOK_SECONDS = 0.01


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


_MISTAKES: dict[type[TenantsError], tuple[str, str]] = {
    MalformedSlug: (
        "slug",
        _("An address has up to 40 small letters, digits and hyphens, with no hyphen at its ends."),
    ),
    ReservedSlug: ("slug", _("This address belongs to Guichet itself. Please choose another one.")),
    SlugTaken: ("slug", _("Somebody has this address already. Please choose another one.")),
    UnknownTenant: ("like", _("You host no merchant with this address.")),
    MalformedEmail: ("email", _("This is no address of mail.")),
}


class MalformedToken(MalformedRequest):
    """This form could not be read. Please go back and send it again."""

    code = "malformed_token"


@get("/agencies/{agency:str}/new", opt=AGENCY)
async def new_merchant(
    visit: NamedDependency[Visit],
    name: Annotated[str, QueryParameter(max_length=400)] = "",
) -> ASGIResponse:
    """Ask for a name; with one, suggest the rest."""
    plain = name.strip()
    if not plain:
        return visit.page("new_merchant_name.html", fields={}, mistakes={})
    if mistake := _wrong_name(plain):
        return visit.page(
            "new_merchant_name.html",
            status=422,
            fields={"name": plain},
            mistakes={"name": gettext(visit.locale)(mistake)},
        )
    fields = {"name": plain, "slug": await _suggest(visit, plain), "locale": visit.locale}
    return await _ask(visit, fields, {})


@post("/agencies/{agency:str}/new", opt=AGENCY)
async def create_merchant(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Make the merchant, its portal and an invitation of its owner, once for a form."""
    form = visit.form
    opening, mistakes = _read(form), _check(form)
    if not mistakes:
        by = Actor("staff", visit.staff.email)
        try:
            made = await open_portal(
                visit.deployment.db, visit.place.slug, opening, by, visit.request_id
            )
            await _await_portal(visit, made)
        except (SlugTaken, UnknownTenant) as refused:
            mistakes = dict([_MISTAKES[type(refused)]])
    if mistakes:
        translate = gettext(visit.locale)
        told = {name: translate(text) for name, text in mistakes.items()}
        return await _ask(visit, form, told, status=422)
    if email := form.get("email", "").strip():
        await _invite(visit, opening.slug, canonical_email(email))
    return visit.redirect(f"/merchants/{opening.slug}")


def _read(form: Form) -> Opening:
    """What the form asks for; raises `MalformedToken`."""
    try:
        token = UUID(hex=form.get("token", ""))
    except ValueError:
        raise MalformedToken from None
    locale = form.get("locale", "")
    return Opening(
        token=token,
        name=form.get("name", "").strip(),
        slug=form.get("slug", "").strip().lower(),
        locale=locale if locale in LANGUAGES else "en",
        like=form.get("like", "").strip().lower(),
    )


def _check(form: Form) -> dict[str, str]:
    """Mistakes that can be told before anything is made, by field."""
    mistakes = {}
    if wrong := _wrong_name(form.get("name", "").strip()):
        mistakes["name"] = wrong
    try:
        check_slug(form.get("slug", "").strip().lower())
        if email := form.get("email", "").strip():
            canonical_email(email)
    except (MalformedSlug, ReservedSlug, MalformedEmail) as refused:
        field, text = _MISTAKES[type(refused)]
        mistakes[field] = text
    return mistakes


def _wrong_name(name: str) -> str:
    if not name:
        return _("A merchant has a name.")
    if len(name) > _LONGEST_NAME:
        return _("A name has at most 200 characters.")
    return ""


async def _suggest(visit: Visit, name: str) -> str:
    async with visit.deployment.db.system() as connection:
        for place in range(1, _SUGGESTIONS + 1):
            slug = suggest_slug(name, place)
            if await is_free(connection, slug):
                return slug
    return ""


async def _ask(
    visit: Visit, fields: Form, mistakes: dict[str, str], status: int = 200
) -> ASGIResponse:
    """The second step; what is sent with it makes one merchant, however often it is sent."""
    directory = visit.deployment.directory
    scheme, _sep, host = directory.base_url("").partition("://")
    return visit.page(
        "new_merchant.html",
        status=status,
        fields=fields,
        mistakes=mistakes,
        token=uuid.uuid4().hex,
        before=f"{scheme}://",
        after=f".{host}",
        locales=tuple(LANGUAGES.items()),
        models=await _models(visit),
    )


async def _models(visit: Visit) -> list[Merchant]:
    """The agency's first merchants by name, to choose from; any other can be typed."""
    agency_id = visit.place.id
    async with visit.deployment.db.agency(agency_id) as connection:
        return await list_by_name(connection, agency_id, Key())


async def _await_portal(visit: Visit, tenant_id: UUID) -> None:
    """Wait until this process knows what was published, so that the next pages are there.

    Word of it comes within milliseconds; without it the page is a second late, and no more.
    """
    directory = visit.deployment.directory
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LONGEST_WAIT_SECONDS):
            # Whom the directory calls of changes, it calls for ever.
            while not ((it := directory.by_id(tenant_id)) and it.published_version):  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_SECONDS)


async def _invite(visit: Visit, slug: str, email: str) -> None:
    """Invite the merchant's owner, unless the same form has done so before.

    Who may not make owners invites an admin.
    """
    role = "owner" if visit.place.role == "agency_owner" else "admin"
    await visit.sign_in.allow_invitation(visit.place.id, email)
    async with visit.deployment.db.system() as connection:
        place = await find_merchant_workspace(connection, visit.staff.id, slug)
        if place is None:
            return
        waiting = await list_invitations(connection, "merchant", place.id)
        if any(it.email == email for it in waiting):
            return
        await invite(connection, place, email, role, visit.staff, visit.locale)
        details: dict[str, object] = {"role": role}
        await visit.record(Unit(connection, place.id), "member.invited", email, details)
    await visit.deployment.outbox.knock(SEND_STAFF_MESSAGES)


HANDLERS = (new_merchant, create_merchant)
