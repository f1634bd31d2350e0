"""`/_demo/mail`: what the demo's customers have been sent, to be read as they would read it."""

import asyncio
import re
from itertools import islice
from urllib.parse import parse_qsl

import msgspec
from babel.dates import format_datetime
from litestar.response.base import ASGIResponse
from litestar.types import HTTPScope

from guichet.demo.mailbox import Mail, Mailbox
from guichet.deployment import Deployment
from guichet.edge.headers import CONTENT_SECURITY_POLICY
from guichet.edge.pages import HTML, THEME, header
from guichet.errors import NotFound
from guichet.settings import Settings
from guichet.theming.locale import negotiate

PATH = "/_demo/mail"
_SHOWN = 100
_PREVIEW = 160
#: Where what stands in the head of a document may begin, written out or not.
_HEAD = re.compile(r"\s*(<!doctype[^>]*>\s*)?(<html[^>]*>\s*)?(<head[^>]*>)?", re.IGNORECASE)
#: A mail's links are the reader's own choice and lead to a window of their own.
_LINKS_LEAD_OUT = '<base target="_blank">'


class Line(msgspec.Struct, frozen=True):
    """One mail in the list."""

    url: str
    merchant: str
    person: str
    subject: str
    preview: str
    received: str


class MailPages:
    """The pages of one mailbox, for the base host of the demo."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def answer(self, deployment: Deployment, scope: HTTPScope) -> ASGIResponse:
        """The page at a path that begins with `PATH`; raises `NotFound`."""
        match scope["path"].removeprefix(PATH).split("/"):
            case [""]:
                return await self._list(deployment, scope)
            case ["", identifier]:
                return self._page(deployment, scope, self._find(identifier))
            case ["", identifier, "body"]:
                return _body(deployment.settings, self._find(identifier))
        raise NotFound

    def _find(self, identifier: str) -> Mail:
        mail = self._mailbox.find(identifier)
        if mail is None:
            raise NotFound
        return mail

    async def _list(self, deployment: Deployment, scope: HTTPScope) -> ASGIResponse:
        locale = _locale(scope)
        asked = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        chosen = {name: asked.get(name, "") for name in ("merchant", "person")}
        mails = await asyncio.to_thread(lambda: list(self._mailbox.mails()))
        found = (
            mail
            for mail in mails
            if chosen["merchant"] in ("", mail.merchant) and chosen["person"] in ("", mail.person)
        )
        body = deployment.pages.render(
            THEME,
            "mails.html",
            locale,
            mails=[_line(mail, locale) for mail in islice(found, _SHOWN)],
            merchants=sorted({mail.merchant for mail in mails}),
            people=sorted({mail.person for mail in mails}),
            chosen=chosen,
            control_url=f"{deployment.settings.stripe_url}/_control",
        )
        return ASGIResponse(body=body, media_type=HTML)

    def _page(self, deployment: Deployment, scope: HTTPScope, mail: Mail) -> ASGIResponse:
        locale = _locale(scope)
        body = deployment.pages.render(
            THEME,
            "mail.html",
            locale,
            mail=mail,
            received=_moment(mail, locale, "medium"),
            body_url=f"{PATH}/{mail.id}/body",
        )
        policy = f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"
        headers = {"content-security-policy": policy}
        return ASGIResponse(body=body, media_type=HTML, headers=headers)


def _body(settings: Settings, mail: Mail) -> ASGIResponse:
    """The mail's HTML under a policy of its own: its styles and its merchant's pictures."""
    if not mail.html:
        raise NotFound
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; "
        f"img-src data: {settings.url_scheme}://*.{settings.base_domain}; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'self'; "
        "sandbox allow-popups allow-popups-to-escape-sandbox"
    )
    start = _HEAD.match(mail.html)
    assert start is not None
    html = f"{mail.html[: start.end()]}{_LINKS_LEAD_OUT}{mail.html[start.end() :]}"
    headers = {"content-security-policy": policy, "x-frame-options": "SAMEORIGIN"}
    return ASGIResponse(body=html, media_type=HTML, headers=headers)


def _line(mail: Mail, locale: str) -> Line:
    return Line(
        url=f"{PATH}/{mail.id}",
        merchant=mail.merchant,
        person=mail.person,
        subject=mail.subject,
        preview=_preview(mail.text),
        received=_moment(mail, locale, "short"),
    )


def _preview(text: str) -> str:
    """How a mail begins, without the letterhead and the heading, which the list tells already."""
    paragraphs = text.split("\n\n")
    sentences = [it for it in paragraphs if it.rstrip().endswith((".", "!", "?"))]
    return " ".join(" ".join(sentences or paragraphs).split())[:_PREVIEW]


def _moment(mail: Mail, locale: str, style: str) -> str:
    """When a mail came, by the clock of this machine, which is the reader's own."""
    return format_datetime(mail.received_at.astimezone(), style, locale=locale)


def _locale(scope: HTTPScope) -> str:
    return negotiate(None, header(scope, b"accept-language"), "en")
