"""The web program of the demo: the deployment's own, with pages on the base host that show it."""

import os
from collections.abc import Mapping
from pathlib import Path

from litestar.response.base import ASGIResponse
from litestar.types import HTTPScope, Receive, Send

from guichet.app import create_app
from guichet.demo.home import DEFAULT, Home
from guichet.demo.mail_pages import PATH, MailPages
from guichet.demo.mailbox import Mailbox
from guichet.demo.people import CUSTOMERS, MAIL, MAIL_LABEL, MERCHANTS, SANDBOX
from guichet.deployment import Deployment
from guichet.edge.base import DEPLOYMENT, Door, base_door
from guichet.edge.entrance import Edge
from guichet.edge.pages import HTML, THEME, header
from guichet.settings import Settings
from guichet.theming.locale import gettext, negotiate


def demo_door(mailbox: Mailbox) -> Door:
    """The page of the demo at `/`, the mails it caught, and everything else as in production."""
    mail_pages = MailPages(mailbox)

    async def answer(scope: HTTPScope, receive: Receive, send: Send) -> None:
        deployment: Deployment = scope["state"][DEPLOYMENT]
        if scope["path"] == "/":
            response = _front_page(deployment, scope)
        elif scope["path"].startswith(PATH):
            response = await mail_pages.answer(deployment, scope)
        else:
            await base_door(scope, receive, send)
            return
        await response(scope, receive, send)

    return answer


def _front_page(deployment: Deployment, scope: HTTPScope) -> ASGIResponse:
    locale = negotiate(None, header(scope, b"accept-language"), "en")
    say = gettext(locale)
    people = [{"email": it.email, "about": f"{it.name}. {say(it.note)}"} for it in CUSTOMERS]
    portals = [
        {
            "name": entry.name,
            "url": deployment.directory.url(entry),
            "description": say(sells),
        }
        for slug, sells in MERCHANTS
        if (entry := deployment.directory.by_slug(slug))
    ]
    control = f"{deployment.settings.stripe_url}/_control"
    places = [
        {"url": PATH, "label": say(MAIL_LABEL), "about": say(MAIL)},
        {"url": control, "label": "Stripe sandbox", "about": say(SANDBOX)},
    ]
    body = deployment.pages.render(
        THEME, "demo.html", locale, portals=portals, people=people, places=places
    )
    return ASGIResponse(body=body, media_type=HTML)


def create_demo_app(settings: Settings, environ: Mapping[str, str] = os.environ) -> Edge:
    """The demo's web program; `GUICHET_HOME` is where the mails are."""
    home = Home(Path(environ.get("GUICHET_HOME", DEFAULT)))
    return create_app(settings, base=demo_door(Mailbox(home.mail)))
