"""The preview's host: `/<slug>/<token>/<page>`, drawn from the draft, for the console's frame.

No cookie is read or set here, no form leads anywhere and no script runs, so what a draft holds can
reach neither the staff's session nor a customer's.
"""

from typing import NamedTuple
from urllib.parse import parse_qs, urlencode
from uuid import UUID

import msgspec
from litestar.response.base import ASGIResponse
from litestar.types import HTTPScope, Receive, Send

from guichet.auth.staff.preview_links import find_viewer, may_still_look
from guichet.billing.catalog import Price, find_prices
from guichet.deployment import Deployment
from guichet.errors import MalformedRequest, NotFound
from guichet.portal.brand import Brand, make_brand
from guichet.portal.preview.links import lead_inside
from guichet.portal.preview.mails import (
    MailPreview,
    as_seen,
    draw_mail,
    draw_mail_body,
    read_mail_look,
)
from guichet.portal.preview.pages import DRAWN
from guichet.portal.preview.visit import PreviewVisit
from guichet.portal.samples import assortment_of, make_sample, today
from guichet.portal.visit import HTML
from guichet.tenancy import TenantEntry
from guichet.theming.locale import LANGUAGES
from guichet.theming.pages import Pages
from guichet.web.failures import MethodNotAllowed
from guichet.web.previews import SCHEMES, STATES, Look
from tenants.assets import load_asset
from tenants.configuration import Configuration, Published
from tenants.drafts import load_draft


class PreviewOver(NotFound):
    """This preview is over. Please load its page in the console again."""

    title = "This preview is over"
    code = "preview_over"


class _Asked(NamedTuple):
    """A request to the preview's host: `/<slug>/<token>/<rest>`."""

    slug: str
    token: str
    rest: str

    @property
    def folder(self) -> str:
        return f"/{self.slug}/{self.token}"


class _Draft(NamedTuple):
    tenant: TenantEntry
    configuration: Configuration
    prices: dict[str, Price]


async def show_preview(
    deployment: Deployment, request_id: str, scope: HTTPScope, receive: Receive, send: Send
) -> None:
    """Answer with a page, a stylesheet or a picture of a draft.

    Raises `PreviewOver` where the token does not open one, `NotFound` or `MethodNotAllowed`.
    """
    if scope["method"] != "GET":
        raise MethodNotAllowed
    path = scope["path"]
    file = deployment.pages.asset(path)
    if file is not None:
        # Pages that tell of a mistake on this host are in the deployment's own look.
        await _file(file.body, file.media_type)(scope, receive, send)
        return
    asked = _read_path(path)
    response = await _answer(deployment, request_id, scope, asked)
    await response(scope, receive, send)


def _read_path(path: str) -> _Asked:
    parts = path.split("/", 3)
    if len(parts) != len(("", *_Asked._fields)):
        raise NotFound
    return _Asked(*parts[1:])


async def _answer(
    deployment: Deployment, request_id: str, scope: HTTPScope, asked: _Asked
) -> ASGIResponse:
    tenant = deployment.directory.by_slug(asked.slug)
    if tenant is None:
        raise PreviewOver
    if asked.rest.startswith("assets/pictures/"):
        return await _picture(deployment, tenant, asked)
    file = deployment.pages.asset(f"/{asked.rest}")
    if file is not None:
        return _file(file.body, file.media_type)
    draft = await _read_draft(deployment, tenant, asked)
    if asked.rest.startswith("assets/") and asked.rest.endswith("/brand.css"):
        brand = _brand(deployment.pages, draft.configuration)
        return _file(brand.stylesheet.body, "text/css; charset=utf-8")
    given = _read_query(scope["query_string"])
    if asked.rest in ("mail", "mail/body"):
        return await _mail(deployment, asked, draft, given)
    look = _read_look(asked.rest, given, draft.configuration)
    return _draw(deployment, request_id, scope, asked, draft, look)


async def _read_draft(deployment: Deployment, tenant: TenantEntry, asked: _Asked) -> _Draft:
    """The draft with the merchant's prices; raises `PreviewOver`."""
    async with deployment.db.unit(tenant.id) as unit:
        staff_id = await find_viewer(unit, deployment.settings.master_keys, asked.token)
        if staff_id is None:
            raise PreviewOver
        configuration = (await load_draft(unit.connection, tenant.id)).configuration
        prices = await find_prices(unit, [plan.price_id for plan in configuration.plans])
    await _check_role(deployment, tenant, staff_id)
    return _Draft(tenant, configuration, prices)


async def _check_role(deployment: Deployment, tenant: TenantEntry, staff_id: UUID) -> None:
    """Raises `PreviewOver` for whoever has lost their role since the link was made."""
    async with deployment.db.system() as connection:
        if not await may_still_look(connection, staff_id, tenant.slug):
            raise PreviewOver


async def _picture(deployment: Deployment, tenant: TenantEntry, asked: _Asked) -> ASGIResponse:
    """A picture of this tenant, published or not; raises `PreviewOver` or `NotFound`."""
    async with deployment.db.unit(tenant.id) as unit:
        staff_id = await find_viewer(unit, deployment.settings.master_keys, asked.token)
        if staff_id is None:
            raise PreviewOver
        picture_id = asked.rest.removeprefix("assets/pictures/")
        found = await load_asset(unit.connection, tenant.id, picture_id)
    await _check_role(deployment, tenant, staff_id)
    if found is None:
        raise NotFound
    return _file(found.body, found.media_type)


def _file(body: bytes, media_type: str) -> ASGIResponse:
    return ASGIResponse(body=body, headers={"content-type": media_type})


async def _mail(
    deployment: Deployment, asked: _Asked, draft: _Draft, given: dict[str, str]
) -> ASGIResponse:
    preview = MailPreview(deployment, draft.tenant, draft.configuration, draft.prices, asked.folder)
    draw = draw_mail_body if asked.rest == "mail/body" else draw_mail
    return await draw(preview, read_mail_look(given, draft.configuration))


def _read_query(query: bytes) -> dict[str, str]:
    """The first value of each name; raises `MalformedRequest`."""
    try:
        return {name: values[0] for name, values in parse_qs(query.decode("ascii")).items()}
    except ValueError as error:
        raise MalformedRequest from error


def _read_look(page: str, given: dict[str, str], configuration: Configuration) -> Look:
    """What is asked for; whatever does not exist is the first of its kind. Raises `NotFound`."""
    page = given.get("page", "home") if page == "show" else page
    if page not in DRAWN:
        raise NotFound
    state, locale, scheme = (given.get(name, "") for name in ("state", "locale", "scheme"))
    return Look(
        page=page,
        state=state if state in STATES else next(iter(STATES)),
        locale=locale if locale in LANGUAGES else configuration.locale,
        scheme=scheme if scheme in SCHEMES else "",
    )


def _brand(pages: Pages, configuration: Configuration) -> Brand:
    """The draft's look, with no script: none may run in a preview."""
    return msgspec.structs.replace(make_brand(pages, Published(0, configuration)), script="")


def _draw(
    deployment: Deployment,
    request_id: str,
    scope: HTTPScope,
    asked: _Asked,
    draft: _Draft,
    look: Look,
) -> ASGIResponse:
    drawn = DRAWN[look.page]
    assortment = assortment_of(draft.configuration, draft.prices, look.state)
    configuration = msgspec.structs.replace(draft.configuration, plans=assortment.plans)
    sample = make_sample(assortment, look.state, today())
    brand = _brand(deployment.pages, as_seen(configuration, look.scheme))
    visit = PreviewVisit(deployment, draft.tenant, brand, scope, request_id, drawn, look)
    context = drawn.make(configuration, sample, look.locale)
    page = visit.page(drawn.template, status=drawn.status, **context)
    query = urlencode({"state": look.state, "scheme": look.scheme}).replace("&", "&amp;")
    asked_for = f"{query}&amp;locale={look.locale}"
    html = bytes(page.body).decode()
    inside = lead_inside(html, asked.folder, look.page, asked_for)
    # A preview of the page of an error has worked.
    return ASGIResponse(body=inside.encode(), media_type=HTML)
