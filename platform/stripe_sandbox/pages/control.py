"""The control page, and the same switches as JSON: `/_control`."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from stripe_sandbox.api import Answer, Api, Request
from stripe_sandbox.pages.control_page import control_page
from stripe_sandbox.pages.pages import PAGE_HEADERS
from stripe_sandbox.passing_time.clocks import advance_clock
from stripe_sandbox.requests.errors import ApiError
from stripe_sandbox.state.accounts import account_id, load_account
from stripe_sandbox.state.documents import Document, public
from stripe_sandbox.state.settings import changed
from stripe_sandbox.webhooks.webhook_endpoints import roll_secret


class Refusal(Exception):
    """The control page declines: a status and the reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Control:
    """Answers below `/_control`; it opens no account that a key has not opened before."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def answer(self, request: Request) -> Answer:
        """The page, a JSON document, or the effect of a form."""
        try:
            _check_browser(request)
            return self._dispatch(request, request.path.strip("/").split("/")[1:])
        except Refusal as refusal:
            return _json({"error": str(refusal)}, refusal.status)
        except (ApiError, msgspec.ValidationError, msgspec.DecodeError) as error:
            return _json({"error": str(error)}, 400)

    def _dispatch(self, request: Request, path: list[str]) -> Answer:
        match (request.method, path):
            case ("GET", []):
                return self._page()
            case ("GET", ["accounts"]):
                return _json(self._accounts())
            case ("GET", ["settings"]):
                return _json(load_account(self.api.store, self._account(request)).settings)
            case ("POST", ["settings"]):
                return self._set(request)
            case ("GET", ["charges" | "events" as kind]):
                return _json(self._every(self._account(request), kind.removesuffix("s")))
            case ("GET", ["deliveries"]):
                return _json({"waiting": self.api.store.queue.waiting(self._account(request))})
            case ("POST", ["charges", "fail"]):
                return self._fail(request)
            case ("POST", ["clocks", identifier, "advance"]):
                return self._advance(request, identifier)
            case ("POST", ["webhook_endpoints", identifier, "roll"]):
                return self._roll(request, identifier)
        raise Refusal(404, "no such control")

    def _account(self, request: Request) -> str:
        """By secret key, or by the account's id in the query."""
        named = dict(parse_qsl(request.query)).get("account")
        identifier = account_id(request.key) if request.key else named
        if not identifier or self.api.store.account(identifier) is None:
            raise Refusal(404, "no such account: pass its key, or ?account=acct_…")
        return identifier

    def _accounts(self) -> list[Document]:
        found = [load_account(self.api.store, each) for each in self.api.store.accounts()]
        return [
            {"id": each.id, "masked_key": each.masked_key, "settings": each.settings}
            for each in found
        ]

    def _every(self, account: str, kind: str) -> list[Document]:
        store = self.api.store
        return [public(store.decode(raw)) for raw in store.select(account, kind)]

    def _set(self, request: Request) -> Answer:
        form = _is_form(request)
        change = _from_form(request.body) if form else msgspec.json.decode(request.body)
        if not isinstance(change, dict):
            raise Refusal(400, "a JSON object is expected")
        return self._change(request, change)

    def _change(self, request: Request, change: Document) -> Answer:
        identifier = self._account(request)
        with self.api.store.transaction():
            account = load_account(self.api.store, identifier)
            settings = changed(account.settings, change)
            self.api.store.save_settings(identifier, settings)
        return _back(identifier) if _is_form(request) else _json(settings)

    def _advance(self, request: Request, identifier: str) -> Answer:
        with self.api.store.transaction():
            unit = self.api.unit(load_account(self.api.store, self._account(request)))
            clock = unit.need("test_helpers.test_clock", identifier)
            body = dict(parse_qsl(request.body))
            try:
                target = clock["frozen_time"] + round(float(body["days"]) * 86_400)
            except (KeyError, ValueError, OverflowError):
                raise Refusal(400, "`days` must be a number") from None
            moved = advance_clock(unit, {"frozen_time": target}, identifier)
        return _back(unit.account.id) if _is_form(request) else _json(moved)

    def _fail(self, request: Request) -> Answer:
        """The page's button: the next charge fails, or does not after all."""
        body = dict(parse_qsl(request.body))
        try:
            change: Document = {"fail_next_charges": int(body.get("count", "1"))}
        except ValueError:
            raise Refusal(400, "`count` must be a number") from None
        if "fail_with" in body:
            change["fail_with"] = body["fail_with"]
        return self._change(request, change)

    def _page(self) -> Answer:
        page = control_page(self.api.store, self._accounts())
        return Answer(200, page, {**PAGE_HEADERS, "content-type": "text/html; charset=utf-8"})

    def _roll(self, request: Request, identifier: str) -> Answer:
        hours = dict(parse_qsl(request.body)).get("hours") or "0"
        with self.api.store.transaction():
            unit = self.api.unit(load_account(self.api.store, self._account(request)))
            try:
                return _json(roll_secret(unit, identifier, float(hours)))
            except (ValueError, OverflowError):
                raise Refusal(400, "`hours` must be a number") from None


def _check_browser(request: Request) -> None:
    """No page of another site may turn switches here, nor reach us under a name of its own."""
    host = request.headers.get("host", "")
    if urlsplit(f"//{host}").hostname not in ("127.0.0.1", "localhost"):
        raise Refusal(403, "the control page answers on 127.0.0.1 and localhost only")
    origin = request.headers.get("origin")
    foreign = origin is not None and origin != f"http://{host}"
    cross_site = request.headers.get("sec-fetch-site") not in (None, "same-origin", "none")
    if request.method == "POST" and (foreign or cross_site):
        raise Refusal(403, "requests from other sites are refused")


def _is_form(request: Request) -> bool:
    kind = request.headers.get("content-type", "")
    return kind.startswith("application/x-www-form-urlencoded")


def _from_form(body: str) -> Document:
    """The page's own form: a few switches as text."""
    fields = dict(parse_qsl(body))
    try:
        return {
            "fail_next_charges": int(fields["fail_next_charges"]),
            "fail_with": fields["fail_with"],
            "latency_ms": int(fields["latency_ms"]),
            "requests_per_second": int(fields["requests_per_second"]),
            "deliveries": {
                "delay_ms": int(fields["delay_ms"]),
                "drop": float(fields["drop"]),
                "duplicate": int(fields["duplicate"]),
                "reorder_ms": int(fields["reorder_ms"]),
                "paused": "paused" in fields,
            },
        }
    except (KeyError, ValueError):
        raise Refusal(400, "a number is expected in every field") from None


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(status, msgspec.json.encode(value), dict(PAGE_HEADERS))


def _back(account: str) -> Answer:
    """To the part of the page from which a form came."""
    return Answer(303, b"", {**PAGE_HEADERS, "location": f"/_control#{account}"})
