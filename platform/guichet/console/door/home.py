"""The choice of a workspace, and of a language."""

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from litestar.response.base import ASGIResponse

from guichet.auth.cookies import language_cookie
from guichet.auth.paths import local_path
from guichet.console.access import OPEN, SIGNED_IN
from guichet.console.shell import workspace_path
from guichet.console.visit import Visit
from guichet.errors import NotFound
from guichet.theming.locale import LANGUAGES


@get("/", opt=SIGNED_IN)
async def home(visit: NamedDependency[Visit]) -> ASGIResponse:
    """The workspaces that somebody belongs to; who has one goes there."""
    if len(visit.workspaces) == 1:
        return visit.redirect(workspace_path(visit.workspaces[0]))
    return visit.page("workspaces.html", workspaces=visit.workspaces)


@get("/language/{language:str}", opt=OPEN)
async def choose_language(
    visit: NamedDependency[Visit],
    language: Annotated[str, PathParameter(max_length=10)],
    next_path: Annotated[str, QueryParameter(name="next", max_length=2000)] = "/",
) -> ASGIResponse:
    """Remember a language in this browser and, when signed in, for the person and their mails."""
    if language not in LANGUAGES:
        raise NotFound
    if visit.session is not None:
        async with visit.deployment.db.system() as connection:
            await connection.execute(
                "update staff set locale = $2 where id = $1", visit.staff.id, language
            )
    cookie = language_cookie(visit.deployment.settings).holding(language)
    return visit.redirect(local_path(next_path), cookies=(cookie,))
