"""The web program of the demo: the deployment's own, with a page that lists the portals."""

from litestar.response.base import ASGIResponse
from litestar.types import HTTPScope, Receive, Send

from guichet.app import create_app
from guichet.demo.people import CUSTOMERS, MERCHANTS, SANDBOX
from guichet.deployment import Deployment
from guichet.edge.base import DEPLOYMENT, base_door
from guichet.edge.entrance import Edge
from guichet.edge.pages import HTML, THEME, header
from guichet.settings import Settings
from guichet.theming.locale import gettext, negotiate


async def demo_door(scope: HTTPScope, receive: Receive, send: Send) -> None:
    """The page of the demo at `/`, and everything else as in production."""
    if scope["path"] != "/":
        await base_door(scope, receive, send)
        return
    deployment: Deployment = scope["state"][DEPLOYMENT]
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
    places = [
        {
            "url": f"{deployment.settings.stripe_url}/_control",
            "label": "Stripe sandbox",
            "about": say(SANDBOX),
        }
    ]
    body = deployment.pages.render(
        THEME, "demo.html", locale, portals=portals, people=people, places=places
    )
    await ASGIResponse(body=body, media_type=HTML)(scope, receive, send)


def create_demo_app(settings: Settings) -> Edge:
    """The demo's web program."""
    return create_app(settings, base=demo_door)
