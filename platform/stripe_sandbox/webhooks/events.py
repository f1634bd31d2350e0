"""Events: what happened, with the object as it was then."""

from stripe_sandbox.requests.errors import invalid, missing
from stripe_sandbox.requests.forms import boolean, list_of, span, text, within
from stripe_sandbox.requests.lists import page
from stripe_sandbox.requests.routing import listing, route
from stripe_sandbox.state.documents import Document, public
from stripe_sandbox.state.placement import DAY
from stripe_sandbox.state.unit import Unit

_MOST_TYPES = 20


def list_events(unit: Unit, params: Document) -> Document:
    """Newest first, in the order in which they happened; `type` may end in `.*`."""
    if params.get("type") and params.get("types"):
        raise invalid("You may pass only one of these parameters: type, types.", "types")
    if len(params.get("types") or []) > _MOST_TYPES:
        raise invalid(f"You may pass at most {_MOST_TYPES} types.", "types")
    oldest = _oldest(unit)
    wanted = [params["type"]] if params.get("type") else params.get("types") or []
    exact = wanted[0] if len(wanted) == 1 and not wanted[0].endswith("*") else None
    pending = params.get("delivery_success")

    def passes(event: Document) -> bool:
        return (
            event["created"] >= oldest
            and within(event["created"], params.get("created"))
            and (not wanted or any(_matches(pattern, event["type"]) for pattern in wanted))
            and (pending is None or pending == (event["pending_webhooks"] == 0))
        )

    return page(unit, "event", "/v1/events", params, tag=exact, only=passes)


def _oldest(unit: Unit) -> int:
    """Stripe keeps events for 30 days; here a switch says how many, and all by default."""
    days = unit.account.settings["events_kept_days"]
    return unit.now() - days * DAY if days else 0


def _matches(pattern: str, kind: str) -> bool:
    return kind.startswith(pattern[:-1]) if pattern.endswith("*") else kind == pattern


def retrieve_event(unit: Unit, params: Document, identifier: str) -> Document:
    """One event."""
    event = unit.need("event", identifier)
    if event["created"] < _oldest(unit):
        raise missing("event", identifier)
    return public(event)


ROUTES = [
    listing(
        "/v1/events",
        list_events,
        {"type": text, "types": list_of(text), "created": span, "delivery_success": boolean},
    ),
    route("GET", "/v1/events/{}", retrieve_event),
]
