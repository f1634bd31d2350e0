"""Stylesheets, the script and merchants' pictures, at addresses named by their content."""

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import PathParameter
from litestar.response.base import ASGIResponse

from guichet.errors import NotFound
from guichet.portal.visit import Visit
from guichet.web.caching import PICTURE_POLICY, kept_for_ever
from tenants.assets import load_asset


@get("/assets/{folder:str}/{name:str}")
async def asset(
    visit: NamedDependency[Visit],
    folder: Annotated[str, PathParameter(max_length=64)],
    name: Annotated[str, PathParameter(max_length=100)],
) -> ASGIResponse:
    """A theme's file, or the stylesheet of this tenant's branding."""
    path = f"/assets/{folder}/{name}"
    if path == visit.brand.stylesheet.path:
        return kept_for_ever(visit.brand.stylesheet.body, "text/css; charset=utf-8")
    found = visit.deployment.pages.asset(path)
    if found is None:
        raise NotFound
    return kept_for_ever(found.body, found.media_type)


@get("/assets/pictures/{picture_id:str}")
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
