"""The customer's language and which mails they want; and the end of a kind of mail by its link."""

from typing import Annotated

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from litestar.response.base import ASGIResponse

from guichet.auth.cookies import language_cookie
from guichet.auth.mail_links import read_link_token
from guichet.errors import NotFound
from guichet.messages.kinds import OPTIONAL
from guichet.messages.log import find_message
from guichet.messages.preferences import Source, choose_kinds, read_preferences, unsubscribe
from guichet.portal.language import remember_language
from guichet.portal.read_only import READS
from guichet.portal.switches import PREFERENCES
from guichet.portal.visit import Visit
from guichet.theming.locale import LANGUAGES
from guichet.web.forms import AnyRequest, MissingField, read_form

Token = Annotated[str, PathParameter(max_length=100)]
Saved = Annotated[bool, QueryParameter(name="saved")]

#: The one value that a mail program's own button sends (RFC 8058 section 3.1).
_ONE_CLICK = ("List-Unsubscribe", "One-Click")


@get("/preferences", opt=PREFERENCES | READS)
async def show(visit: NamedDependency[Visit], saved: Saved = False) -> ASGIResponse:
    """What the customer has chosen."""
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        session = await visit.identify(unit)
        kinds = await read_preferences(unit, session.customer_id)
    return visit.page("preferences.html", kinds=kinds, saved=saved)


@post("/preferences", opt=PREFERENCES, status_code=200)
async def save(visit: NamedDependency[Visit], request: AnyRequest) -> ASGIResponse:
    """Keep what the customer chooses: a box that is not ticked is not sent.

    Raises `TooManyPreferences` for who does so again and again.
    """
    form = await read_form(request)
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        session = await visit.identify(unit)
        visit.check_form(form)
        locale = form.get("locale")
        if locale not in LANGUAGES:
            raise MissingField
        await remember_language(unit, session.customer_id, locale)
        wanted = [kind for kind in OPTIONAL if f"mail-{kind}" in form]
        await choose_kinds(unit, session.customer_id, wanted)
    cookie = language_cookie(visit.deployment.settings).holding(locale)
    return visit.redirect("/preferences?saved=1", cookies=(cookie,))


@get("/unsubscribe/{mail_token:str}")
async def ask(visit: NamedDependency[Visit], mail_token: Token) -> ASGIResponse:
    """One button. Opening the page changes nothing: mail programs look at links by themselves."""
    message_id = read_link_token(
        visit.deployment.settings.master_keys, visit.tenant.id, mail_token, "unsubscribe"
    )
    if message_id is None:
        raise NotFound
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        message = await find_message(unit, message_id)
    if message is None or message.kind not in OPTIONAL:
        raise NotFound
    return visit.page("unsubscribe.html", kind=message.kind, done=False)


@post("/unsubscribe/{mail_token:str}", status_code=200)
async def leave(
    visit: NamedDependency[Visit], mail_token: Token, request: AnyRequest
) -> ASGIResponse:
    """End the kind of the mail: by the button above, or by a mail program's own (RFC 8058).

    That one has neither cookie nor origin. The token is all that is asked for: whoever holds it
    can do no more with it than to end a kind of mail that nobody needs.
    """
    form = await read_form(request)
    source: Source = "one_click" if _ONE_CLICK in form.items() else "link"
    message_id = read_link_token(
        visit.deployment.settings.master_keys, visit.tenant.id, mail_token, "unsubscribe"
    )
    if message_id is None:
        raise NotFound
    async with visit.deployment.db.unit(visit.tenant.id) as unit:
        kind = await unsubscribe(unit, message_id, source)
    if kind is None:
        raise NotFound
    return visit.page("unsubscribe.html", kind=kind, done=True)


HANDLERS = (show, save, ask, leave)
