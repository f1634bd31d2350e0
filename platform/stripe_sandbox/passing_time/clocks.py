"""Test clocks: worlds whose time moves only when it is advanced."""

from time import perf_counter

from stripe_sandbox.passing_time.timers import run_due
from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import integer, text
from stripe_sandbox.requests.lists import page
from stripe_sandbox.requests.routing import listing, route
from stripe_sandbox.state.documents import Document, new_id, public
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.standing import ENDED, end

_LIFETIME = 30 * 86_400
# How long one transaction may work on a clock before the others get their turn.
SLICE_SECONDS = 0.25


def create_clock(unit: Unit, params: Document) -> Document:
    """A clock stands at its frozen time until it is advanced."""
    clock: Document = {
        "id": new_id("clock"),
        "object": "test_helpers.test_clock",
        "created": unit.now(),
        "deletes_after": unit.now() + _LIFETIME,
        "frozen_time": params["frozen_time"],
        "livemode": False,
        "name": params.get("name"),
        "status": "ready",
        "status_details": {},
    }
    return public(unit.add(clock, "test_helpers.test_clock.created"))


def retrieve_clock(unit: Unit, params: Document, identifier: str) -> Document:
    """One clock."""
    return public(unit.need("test_helpers.test_clock", identifier))


def list_clocks(unit: Unit, params: Document) -> Document:
    """Newest first."""
    return page(unit, "test_helpers.test_clock", "/v1/test_helpers/test_clocks", params)


def advance_clock(unit: Unit, params: Document, identifier: str) -> Document:
    """Move the time forward. A long way answers `advancing` and goes on in the background."""
    clock = unit.need("test_helpers.test_clock", identifier)
    if clock["status"] != "ready":
        raise invalid("Test clock advancement underway - cannot perform modifications.")
    target = params["frozen_time"]
    if target <= clock["frozen_time"]:
        raise invalid(
            "`frozen_time` must be greater than the test clock's current frozen time "
            f"({clock['frozen_time']}).",
            "frozen_time",
        )
    clock["status"] = "advancing"
    clock["status_details"] = {"advancing": {"target_frozen_time": target}}
    unit.update(clock)
    unit.emit("test_helpers.test_clock.advancing", clock)
    go_on(unit, clock)
    return public(clock)


def go_on(unit: Unit, clock: Document) -> bool:
    """Work on an advancing clock for one slice of time. Returns whether it arrived."""
    target = clock["status_details"]["advancing"]["target_frozen_time"]
    deadline = perf_counter() + SLICE_SECONDS
    # What time brings about is nobody's request.
    unit.request = unit.idempotency_key = None

    def set_time(moment: int) -> None:
        clock["frozen_time"] = max(clock["frozen_time"], moment)

    arrived = run_due(unit, clock["id"], target, set_time, lambda: perf_counter() < deadline)
    if arrived:
        clock.update(frozen_time=target, status="ready", status_details={})
        unit.update(clock)
        unit.emit("test_helpers.test_clock.ready", clock)
    unit.update(clock)
    return arrived


def fail(unit: Unit, clock: Document) -> None:
    """A mistake of the sandbox stops the clock where it is."""
    clock.update(status="internal_failure", status_details={})
    unit.update(clock)
    unit.emit("test_helpers.test_clock.internal_failure", clock)


def delete_clock(unit: Unit, params: Document, identifier: str) -> Document:
    """With a clock go its customers and their subscriptions."""
    clock = unit.need("test_helpers.test_clock", identifier)
    for customer in list(unit.every("customer", owner=identifier)):
        for subscription in list(unit.every("subscription", owner=customer["id"])):
            if subscription["status"] not in ENDED:
                end(unit, subscription, None)
        customer["_deleted"] = True
        unit.update(customer)
    return unit.remove(clock, "test_helpers.test_clock.deleted")


ROUTES = [
    route(
        "POST",
        "/v1/test_helpers/test_clocks",
        create_clock,
        {"frozen_time": integer, "name": text},
        ("frozen_time",),
    ),
    listing("/v1/test_helpers/test_clocks", list_clocks),
    route("GET", "/v1/test_helpers/test_clocks/{}", retrieve_clock),
    route("DELETE", "/v1/test_helpers/test_clocks/{}", delete_clock),
    route(
        "POST",
        "/v1/test_helpers/test_clocks/{}/advance",
        advance_clock,
        {"frozen_time": integer},
        ("frozen_time",),
    ),
]
