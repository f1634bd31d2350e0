"""Stylesheets, the script and merchants' pictures, at addresses named by their content."""

import re
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import PathParameter
from litestar.response.base import ASGIResponse

from guichet.errors import NotFound
from guichet.portal.brand import make_brand
from guichet.portal.read_only import ALWAYS
from guichet.portal.visit import Visit
from guichet.theming.branding import Stylesheet
from guichet.web.caching import PICTURE_POLICY, kept_for_ever
from tenants.assets import load_asset
from tenants.configuration import NOTHING_PUBLISHED, UnknownVersion, load_version

_VERSION = re.compile(rb"[0-9]{1,9}")


@get("/assets/{folder:str}/{name:str}", opt=ALWAYS)
async def asset(
    visit: NamedDependency[Visit],
    folder: Annotated[str, PathParameter(max_length=64)],
    name: Annotated[str, PathParameter(max_length=100)],
) -> ASGIResponse:
    """A theme's file, or the stylesheet of this tenant's branding."""
    path = f"/assets/{folder}/{name}"
    found = visit.deployment.pages.asset(path)
    if found is not None:
        return kept_for_ever(found.body, found.media_type)
    sheet = visit.brand.stylesheet
    if path != sheet.path:
        sheet = await _sheet_of_version(visit, path)
    return kept_for_ever(sheet.body, "text/css; charset=utf-8")


async def _sheet_of_version(visit: Visit, path: str) -> Stylesheet:
    """The stylesheet of a page that was drawn with another version than the one known here.

    The address has the version after its question mark. Raises `NotFound`.
    """
    version = _VERSION.fullmatch(visit.scope["query_string"])
    if version is None:
        raise NotFound
    published, number = NOTHING_PUBLISHED, int(version[0])
    try:
        if number:
            async with visit.deployment.db.unit(visit.tenant.id) as unit:
                published = await load_version(unit.connection, visit.tenant.id, number)
    except UnknownVersion as unknown:
        raise NotFound from unknown
    sheet = make_brand(visit.deployment.pages, published).stylesheet
    if sheet.path != path:
        raise NotFound
    return sheet


@get("/assets/pictures/{picture_id:str}", opt=ALWAYS)
async def picture(
    visit: NamedDependency[Visit],
    picture_id: Annotated[str, PathParameter(max_length=64)],
) -> ASGIResponse:
    """A picture of this tenant's branding."""
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        found = await load_asset(unit.connection, visit.tenant.id, picture_id)
    if found is None:
        raise NotFound
    response = kept_for_ever(found.body, found.media_type)
    response.headers.add("content-security-policy", PICTURE_POLICY)
    # Mails show it too, and people read them on other sites. It is the same for everybody.
    response.headers.add("cross-origin-resource-policy", "cross-origin")
    return response
