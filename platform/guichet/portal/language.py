"""The switch between languages."""

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from litestar.response.base import ASGIResponse

from guichet.auth.cookies import language_cookie
from guichet.auth.paths import local_path
from guichet.auth.sessions import find_session
from guichet.db import Unit
from guichet.errors import NotFound
from guichet.portal.visit import Visit
from guichet.theming.locale import LANGUAGES


@get("/language/{language:str}")
async def choose_language(
    visit: NamedDependency[Visit],
    language: Annotated[str, PathParameter(max_length=10)],
    next_path: Annotated[str, QueryParameter(name="next", max_length=2000)] = "/",
) -> ASGIResponse:
    """Remember a language in this browser and, when signed in, for the customer."""
    if language not in LANGUAGES:
        raise NotFound
    token = visit.cookies.session
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        session = await find_session(unit, token) if token else None
        if session is not None:
            await remember_language(unit, session.customer_id, language)
    cookie = language_cookie(visit.deployment.settings).holding(language)
    return visit.redirect(local_path(next_path), cookies=(cookie,))


async def remember_language(unit: Unit, customer_id: str, language: str) -> None:
    """Keep the language that a customer reads, for these pages and for mails."""
    await unit.execute(
        """
        insert into preferences as held (tenant_id, customer_id, locale)
        values ($1, $2, $3)
        on conflict (tenant_id, customer_id) do update
        set locale = excluded.locale, changed_at = now()
        where held.locale is distinct from excluded.locale
        """,
        unit.tenant_id,
        customer_id,
        language,
    )
