"""The gate of support views: whoever looks at a customer's portal for the merchant changes nothing.

It stands before every route. A route that does not say that it only reads is refused, so a new one
is closed until somebody has thought about it.
"""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from guichet.errors import Forbidden, GuichetError
from guichet.portal.visit import VISIT, Visit

_KEY = "support_view"

#: As Litestar's handlers take it: a page that changes nothing, here or at the provider.
READS = {_KEY: "reads"}
#: What has nothing to do with who is looking.
ALWAYS = {_KEY: "always"}


class OnlyLooking(Forbidden):
    """This is a support view: you see what the customer sees, and nothing can be changed here."""

    title = "Nothing can be changed here"
    code = "only_looking"


class SupportViewOver(GuichetError):
    """This support view is over. To look again, please open the portal from the console."""

    title = "This support view is over"
    status = 410
    code = "support_view_over"


async def keep_to_reading(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """Refuse what a support view may not do, and everything to a browser whose view is over.

    Raises `OnlyLooking` or `SupportViewOver`.
    """
    visit: Visit = connection.scope["state"][VISIT]
    kind = handler.opt.get(_KEY)
    if kind == ALWAYS[_KEY]:
        return
    if visit.support_is_over:
        raise SupportViewOver
    if visit.support and (kind != READS[_KEY] or visit.scope["method"] != "GET"):
        raise OnlyLooking
