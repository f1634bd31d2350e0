"""`POST /webhooks/stripe` on a tenant's host, as a plain ASGI program: no framework between."""

from collections.abc import AsyncIterator

from litestar.types import HTTPScope, Receive, Send

from guichet.errors import Unavailable
from guichet.payments.endpoints import WEBHOOK_PATH as PATH
from guichet.tenancy import TenantEntry
from guichet.webhooks.intake import EventIntake

_WORDS = {
    200: b"stored",
    403: b"suspended",
    404: b"not here",
    405: b"send a POST",
    413: b"too large",
    503: b"try again",
}


async def receive_events(
    intake: EventIntake, tenant: TenantEntry, scope: HTTPScope, receive: Receive, send: Send
) -> None:
    """Take in the request's body as a delivery to the tenant, and send the answer."""
    status = 404
    if scope["path"] == PATH:
        status = 405
        if scope["method"] == "POST":
            status = await intake.receive(tenant, scope["headers"], _body(receive))
    words = _WORDS.get(status, b"refused")
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(words)).encode()),
    ]
    if status == 405:
        headers.append((b"allow", b"POST"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": words, "more_body": False})


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    """The request's body as it arrives; raises `Unavailable` when the sender hangs up."""
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise Unavailable
        more = message["more_body"]
        yield message["body"]
