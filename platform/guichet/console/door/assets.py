"""The console's own stylesheet and script."""

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import PathParameter
from litestar.response.base import ASGIResponse

from guichet.console.access import STATIC
from guichet.console.visit import Visit
from guichet.errors import NotFound
from guichet.web.caching import kept_for_ever


@get("/assets/{folder:str}/{name:str}", opt=STATIC)
async def asset(
    visit: NamedDependency[Visit],
    folder: Annotated[str, PathParameter(max_length=64)],
    name: Annotated[str, PathParameter(max_length=64)],
) -> ASGIResponse:
    """A file of a theme, at an address that changes with its content."""
    found = visit.deployment.pages.asset(f"/assets/{folder}/{name}")
    if found is None:
        raise NotFound
    return kept_for_ever(found.body, found.media_type)
