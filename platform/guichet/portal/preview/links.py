"""Where the links of a page lead in a preview: to other previews, or nowhere."""

import re

_LINK = re.compile(r'(\s(?:href|src)=")([^"]*)"')
_LANGUAGE = re.compile(r"/language/([a-z]{2})(\?|$)")
_SUBSCRIPTION = re.compile(r"/subscriptions/[^/?]+")
_INVOICE = re.compile(r"/invoices/[^/?]+/pay")

_BY_PATH = {
    "/": "home",
    "/subscriptions/change": "change",
    "/subscriptions/cancel": "cancel",
    "/subscriptions": "home",
    "/invoices": "invoices",
    "/pay": "pay",
    "/payment-methods": "payment_methods",
    "/preferences": "preferences",
    "/sign-in": "sign_in",
}


def lead_inside(html: str, folder: str, page: str, query: str) -> str:
    """The page with each link inside the folder of one preview, such as `/lumen/<token>`.

    `query` is what the present preview is asked for with, without a language of its own.
    """

    def lead(found: re.Match[str]) -> str:
        attribute, url = found.groups()
        return f'{attribute}{_inside(url, folder, page, query)}"'

    return _LINK.sub(lead, html)


def _inside(url: str, folder: str, page: str, query: str) -> str:
    if url.startswith("/assets/"):
        return f"{folder}{url}"
    if url.startswith("#"):
        return url
    language = _LANGUAGE.match(url)
    if language:
        return f"{folder}/{page}?{query}&amp;locale={language[1]}"
    path = _INVOICE.sub("/pay", _SUBSCRIPTION.sub("/subscriptions", url.partition("?")[0]))
    target = _BY_PATH.get(path)
    # Of a merchant's own links, and of what only works with a customer, nothing is left.
    return f"{folder}/{target}?{query}" if target else "#main"
