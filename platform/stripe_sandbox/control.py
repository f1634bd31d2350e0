"""The control page, and the same switches as JSON: `/_control`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from stripe_sandbox.accounts import account_id, load_account
from stripe_sandbox.api import Answer, Api, Request
from stripe_sandbox.clocks import advance_clock
from stripe_sandbox.documents import Document, public
from stripe_sandbox.errors import ApiError
from stripe_sandbox.pages import PAGE_HEADERS, document
from stripe_sandbox.settings import changed
from stripe_sandbox.webhook_endpoints import roll_secret

_EVENTS_SHOWN = 15


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
                return Answer(200, self._page(), {**PAGE_HEADERS, "content-type": "text/html"})
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
        identifier = self._account(request)
        form = _is_form(request)
        change = _from_form(request.body) if form else msgspec.json.decode(request.body)
        if not isinstance(change, dict):
            raise Refusal(400, "a JSON object is expected")
        with self.api.store.transaction():
            account = load_account(self.api.store, identifier)
            settings = changed(account.settings, change)
            self.api.store.save_settings(identifier, settings)
        return _back() if form else _json(settings)

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
        return _back() if _is_form(request) else _json(moved)

    def _roll(self, request: Request, identifier: str) -> Answer:
        hours = dict(parse_qsl(request.body)).get("hours") or "0"
        with self.api.store.transaction():
            unit = self.api.unit(load_account(self.api.store, self._account(request)))
            try:
                return _json(roll_secret(unit, identifier, float(hours)))
            except ValueError:
                raise Refusal(400, "`hours` must be a number") from None

    def _page(self) -> bytes:
        accounts = self._accounts()
        sections = "".join(self._section(account) for account in accounts)
        return document(
            "Stripe sandbox",
            "<h1>Stripe sandbox</h1><p class=soft>Every <code>sk_test_…</code> key is an account "
            f"of its own. {len(accounts)} so far.</p>{sections}",
        )

    def _section(self, account: Document) -> str:
        store = self.api.store
        clocks = [
            store.decode(raw) for raw in store.select(account["id"], "test_helpers.test_clock")
        ]
        newest = islice(store.select(account["id"], "event"), _EVENTS_SHOWN)
        events = [store.decode(raw) for raw in newest]
        name = escape(account["settings"]["name"])
        heading = f"{name} · <code>{escape(account['masked_key'])}</code>"
        return (
            f"<section><h2>{heading}</h2>{_switches(account)}{_clocks(account['id'], clocks)}"
            f"{_events(events)}</section>"
        )


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


def _back() -> Answer:
    return Answer(303, b"", {**PAGE_HEADERS, "location": "/_control"})


def _switches(account: Document) -> str:
    settings: Mapping[str, Any] = account["settings"]
    deliveries = settings["deliveries"]

    def field(name: str, label: str, value: object) -> str:
        return (
            f'<label>{label} <input name="{name}" value="{escape(str(value))}" '
            "autocomplete=off></label>"
        )

    checked = " checked" if deliveries["paused"] else ""
    return (
        f'<form method=post action="/_control/settings?account={account["id"]}">'
        + field("fail_next_charges", "Fail next charges", settings["fail_next_charges"])
        + field("fail_with", "with decline code", settings["fail_with"])
        + field("duplicate", "Extra copies of each delivery", deliveries["duplicate"])
        + field("delay_ms", "Delay deliveries (ms)", deliveries["delay_ms"])
        + field("reorder_ms", "Shuffle deliveries within (ms)", deliveries["reorder_ms"])
        + field("drop", "Share of deliveries lost (0 to 1)", deliveries["drop"])
        + f"<label>Hold deliveries <input type=checkbox name=paused{checked}></label>"
        "<button>Set</button></form>"
    )


def _when(moment: int) -> str:
    return f"<time>{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S}</time>"


def _clocks(account: str, clocks: list[Document]) -> str:
    rows = "".join(
        f"<tr><td><code>{clock['id']}</code> {escape(clock['name'] or '')}</td>"
        f"<td>{_when(clock['frozen_time'])}</td><td>{escape(clock['status'])}</td><td>"
        f'<form method=post action="/_control/clocks/{clock["id"]}/advance?account={account}">'
        "<label>Days <input name=days value=1 size=4></label><button>Advance</button></form>"
        "</td></tr>"
        for clock in clocks
    )
    return f"<table><tbody>{rows}</tbody></table>" if rows else ""


def _events(events: list[Document]) -> str:
    rows = "".join(
        f"<tr><td>{_when(event['created'])}</td><td>{escape(event['type'])}</td>"
        f"<td><code>{escape(str(event['data']['object'].get('id', '')))}</code></td></tr>"
        for event in events
    )
    return f"<table><tbody>{rows}</tbody></table>" if rows else "<p class=soft>No events yet.</p>"
