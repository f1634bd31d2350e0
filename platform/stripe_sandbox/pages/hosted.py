"""The hosted pages, each at an unguessable address: what is asked for, shown and pressed."""

import hmac
from urllib.parse import parse_qsl

from stripe_sandbox.api import Answer, Api, Request
from stripe_sandbox.invoices.papers import paper
from stripe_sandbox.pages.challenge_pages import serve_challenge
from stripe_sandbox.pages.checkout_pages import serve_session
from stripe_sandbox.pages.invoice_pages import receipt_page, serve_invoice
from stripe_sandbox.pages.languages import Language, language_for, locale_of
from stripe_sandbox.pages.pages import PAGE_HEADERS, html
from stripe_sandbox.state.accounts import load_account
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.unit import Unit

PLACES = ("/i/", "/receipts/", "/3d-secure/", "/c/", "/credit_notes/")


class HostedPages:
    """Answers browsers. Whoever knows a page's address may use it."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def answer(self, request: Request) -> Answer:
        """A page, a redirect, or 404; what a form asks for is one transaction."""
        if printed := paper(self.api.store, request.path):
            return Answer(200, printed[1], {**PAGE_HEADERS, "content-type": printed[0]})
        place, account, identifier, token, *rest = [*request.path.strip("/").split("/"), "", "", ""]
        with self.api.store.transaction():
            if account and token and self.api.store.account(account):
                unit = self.api.unit(load_account(self.api.store, account))
                found = _serve(unit, [place, identifier, token, *filter(None, rest)], request)
                if found:
                    return found
        return Answer(
            404, b"There is no such page.", {**PAGE_HEADERS, "content-type": "text/plain"}
        )


def _serve(unit: Unit, path: list[str], request: Request) -> Answer | None:
    fields = dict(parse_qsl(request.body)) if request.method == "POST" else None
    match path:
        case ["3d-secure", identifier, token]:
            intent = unit.find("payment_intent", identifier) or unit.find(
                "setup_intent", identifier
            )
            language = _language(unit, intent, request)
            return serve_challenge(unit, identifier, token, fields, language)
        case ["c", identifier, token]:
            session = _opened(unit, "checkout.session", identifier, token)
            language = _language(unit, session, request)
            return serve_session(unit, session, fields, language) if session else None
        case ["receipts", identifier, token]:
            charge = _opened(unit, "charge", identifier, token)
            merchant, language = unit.account.settings["name"], _language(unit, charge, request)
            return html(receipt_page(charge, merchant, language)) if charge else None
        case ["i", identifier, token]:
            invoice = _opened(unit, "invoice", identifier, token)
            language = _language(unit, invoice, request)
            return serve_invoice(unit, invoice, fields, language) if invoice else None
    return None


def _language(unit: Unit, shown: Document | None, request: Request) -> Language:
    """A Checkout page's locale, the customer's, or the browser's."""
    asked = shown or {}
    if asked.get("object") == "setup_intent":
        asked = unit.find("checkout.session", asked["_session"]) or asked
    customer = unit.find("customer", asked.get("customer"))
    accepted = request.headers.get("accept-language", "")
    return language_for(accepted, asked.get("locale"), locale_of(customer))


def _opened(unit: Unit, kind: str, identifier: str, token: str) -> Document | None:
    found = unit.find(kind, identifier)
    if found and hmac.compare_digest(found["_token"].encode(), token.encode()):
        return found
    return None
