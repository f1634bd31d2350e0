"""The control page as HTML: accounts by name, their clocks, switches and latest events."""

from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from itertools import islice
from typing import Any

from stripe_sandbox.pages.pages import document
from stripe_sandbox.state.documents import Document
from stripe_sandbox.state.store import Store
from stripe_sandbox.state.unit import listens

_EVENTS_SHOWN = 20
# What a click can let the next charge fail with (https://docs.stripe.com/declines/codes).
_DECLINES = (
    "generic_decline", "insufficient_funds", "expired_card", "lost_card", "stolen_card",
    "do_not_honor", "processing_error", "authentication_required",
)  # fmt: skip
# How many days a clock moves on at a click: to tomorrow, to the next retry, by a week.
_STEPS = (1, 3, 7)
_STYLE = """
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin-top: 1rem }
section { scroll-margin-top: 1rem } h3 { font-size: .9375rem; margin: 1.5rem 0 0 }
select { font: inherit; padding: .2rem .4rem; border: 1px solid var(--line);
  border-radius: .375rem; background: var(--ground); color: inherit; max-width: 100% }
summary { cursor: pointer; color: var(--accent); font-size: .875rem; margin: 1rem 0 .5rem }
details form { display: grid; gap: .5rem 1.5rem;
  grid-template-columns: repeat(auto-fill, minmax(min(19rem, 100%), 1fr)) }
details label { justify-content: space-between } details button { justify-self: end }
section > form { display: flex } table { margin: .5rem 0 } th { white-space: nowrap }
td form { gap: .5rem } td form + form { margin-top: .5rem } button:disabled { opacity: .5 }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
.waiting { color: var(--accent); font-weight: 600 }
@media (max-width: 40rem) { thead { display: none } }
"""


def control_page(store: Store, accounts: list[Document]) -> bytes:
    """The whole page; `accounts` have id, masked key and settings."""
    named = sorted(accounts, key=lambda account: account["settings"]["name"].casefold())
    links = "".join(
        f'<a href="#{account["id"]}">{escape(account["settings"]["name"])}</a>' for account in named
    )
    jumps = f'<nav aria-label="Accounts">{links}</nav>' if len(named) > 1 else ""
    sections = "".join(_section(store, account) for account in named)
    return document(
        "Stripe sandbox",
        "<h1>Stripe sandbox</h1><p class=soft>Every <code>sk_test_…</code> key is an account of "
        f"its own. {len(accounts)} so far.</p>{jumps}{sections}",
        style=_STYLE,
    )


def _section(store: Store, account: Document) -> str:
    identifier = account["id"]
    clocks = [store.decode(raw) for raw in store.select(identifier, "test_helpers.test_clock")]
    newest = islice(store.select(identifier, "event"), _EVENTS_SHOWN)
    events = [store.decode(raw) for raw in newest]
    name = escape(account["settings"]["name"])
    return (
        f'<section id="{identifier}" aria-labelledby="name-{identifier}">'
        f'<h2 id="name-{identifier}">{name} · <code>{escape(account["masked_key"])}</code></h2>'
        f"{_next_charge(account)}{_clocks(identifier, clocks)}"
        f"{_events(store, identifier, events)}{_switches(account)}</section>"
    )


def _form(account: str, path: str, fields: str, button: str) -> str:
    return _post(account, path, f"{fields}<button>{button}</button>")


def _post(account: str, path: str, content: str) -> str:
    return f'<form method=post action="/_control/{path}?account={account}">{content}</form>'


def _next_charge(account: Document) -> str:
    settings = account["settings"]
    if count := settings["fail_next_charges"]:
        which = "The next charge fails" if count == 1 else f"The next {count} charges fail"
        words = f"<span>{which}: <code>{escape(settings['fail_with'])}</code></span>"
        fields = f"{words}<input type=hidden name=count value=0>"
        return _form(account["id"], "charges/fail", fields, "Let it pass")
    options = "".join(f"<option>{code}</option>" for code in _DECLINES)
    fields = (
        "<input type=hidden name=count value=1>"
        f"<label>Fail the next charge with <select name=fail_with>{options}</select></label>"
    )
    return _form(account["id"], "charges/fail", fields, "Fail it")


def _when(moment: int) -> str:
    return f"<time>{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S}</time>"


def _clocks(account: str, clocks: list[Document]) -> str:
    if not clocks:
        return ""
    rows = "".join(
        f"<tr><td>{escape(clock['name'] or '')} <code>{clock['id']}</code></td>"
        f"<td>{_when(clock['frozen_time'])}</td><td>{escape(clock['status'])}</td>"
        f"<td>{_moves(account, clock)}</td></tr>"
        for clock in clocks
    )
    return f"<h3>Test clocks</h3>{_table(('Clock', 'Time', 'Status', 'Move'), rows)}"


def _moves(account: str, clock: Document) -> str:
    """A button for each step, and any other number of days; a clock on its way takes none."""
    path = f"clocks/{clock['id']}/advance"
    off = "" if clock["status"] == "ready" else " disabled"
    steps = "".join(
        f"<button name=days value={days}{off}>+{days} {'day' if days == 1 else 'days'}</button>"
        for days in _STEPS
    )
    fields = "<label>Days <input name=days value=1 size=4 inputmode=decimal></label>"
    return _post(account, path, steps) + _post(
        account, path, f"{fields}<button{off}>Advance</button>"
    )


def _table(heads: tuple[str, ...], rows: str) -> str:
    cells = "".join(f"<th scope=col>{head}</th>" for head in heads)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table>"


def _events(store: Store, account: str, events: list[Document]) -> str:
    if not events:
        return "<h3>Latest events</h3><p class=soft>No events yet.</p>"
    endpoints = [store.decode(raw) for raw in store.select(account, "webhook_endpoint")]
    waiting = store.queue.attempts_by_event(account)
    rows = "".join(
        f"<tr><td>{_when(event['created'])}</td><td>{escape(event['type'])}</td>"
        f"<td><code>{escape(str(event['data']['object'].get('id', '')))}</code></td>"
        f"<td>{_delivery(event, endpoints, waiting.get(event['id']))}</td></tr>"
        for event in events
    )
    return f"<h3>Latest events</h3>{_table(('Time', 'Event', 'Object', 'Delivery'), rows)}"


def _delivery(event: Document, endpoints: list[Document], attempts: int | None) -> str:
    """Where an event is on its way to the endpoints."""
    if attempts is not None:
        tried = f" ({attempts} failed)" if attempts else ""
        return f"<span class=waiting>waiting{tried}</span>"
    if event["pending_webhooks"]:
        return "<span class=waiting>lost</span>"
    heard = any(listens(endpoint, event["type"]) for endpoint in endpoints)
    return "delivered" if heard else "<span class=soft>nobody listens</span>"


def _switches(account: Document) -> str:
    settings: Mapping[str, Any] = account["settings"]
    deliveries = settings["deliveries"]

    def field(name: str, label: str, value: object) -> str:
        return (
            f'<label>{label} <input name="{name}" value="{escape(str(value))}" '
            "autocomplete=off></label>"
        )

    checked = " checked" if deliveries["paused"] else ""
    fields = (
        field("fail_next_charges", "Fail next charges", settings["fail_next_charges"])
        + field("fail_with", "with decline code", settings["fail_with"])
        + field("requests_per_second", "Requests a second", settings["requests_per_second"])
        + field("latency_ms", "Delay answers (ms)", settings["latency_ms"])
        + field("duplicate", "Extra copies of each delivery", deliveries["duplicate"])
        + field("delay_ms", "Delay deliveries (ms)", deliveries["delay_ms"])
        + field("reorder_ms", "Shuffle deliveries within (ms)", deliveries["reorder_ms"])
        + field("drop", "Share of deliveries lost (0 to 1)", deliveries["drop"])
        + f"<label>Hold deliveries <input type=checkbox name=paused{checked}></label>"
    )
    form = _form(account["id"], "settings", fields, "Set")
    return f"<details><summary>Switches</summary>{form}</details>"
