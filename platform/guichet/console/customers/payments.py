"""A failed payment in the team's hands: tried once more at once, or not any more."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple
from urllib.parse import quote

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter
from litestar.response.base import ASGIResponse

from guichet.billing.dunning.cases.loading import Loaded
from guichet.billing.dunning.decisions.facts import AskedFor, Reason
from guichet.billing.dunning.interventions import (
    ask_for,
    charged_at_once,
    find_case,
    is_turned_away,
    next_try,
    why_no_retry,
    why_no_stop,
)
from guichet.billing.dunning.running import RUN_DUNNING
from guichet.billing.failed_payments import find_failed_payment
from guichet.billing.payment_methods import read_methods
from guichet.console.access import EDITORS, SUPPORTERS
from guichet.console.publishing.labels import VALUES
from guichet.console.visit import Visit
from guichet.db import Unit
from guichet.theming.locale import speech
from tenants.retries import RetryPolicy

_LONGEST_REASON = 500
_PATH = "/merchants/{merchant:str}/customers/{customer_id:str}/payments/{invoice_id:str}"

CustomerId = Annotated[str, PathParameter(max_length=255)]
InvoiceId = Annotated[str, PathParameter(max_length=255)]


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


class _Asked(NamedTuple):
    """The case that a page is about, and what keeps what is asked there from being done."""

    loaded: Loaded
    obstacles: Sequence[Reason]


@get(f"{_PATH}/retry", opt=SUPPORTERS)
async def ask_retry(
    visit: NamedDependency[Visit], customer_id: CustomerId, invoice_id: InvoiceId
) -> ASGIResponse:
    """Ask whether it is to be charged now."""
    return await _ask(visit, "retry", customer_id, invoice_id)


@post(f"{_PATH}/retry", opt=SUPPORTERS)
async def retry(
    visit: NamedDependency[Visit], customer_id: CustomerId, invoice_id: InvoiceId
) -> ASGIResponse:
    """Have a worker charge it; once, however often this is sent."""
    if _reason(visit) is None:
        return await _ask(visit, "retry", customer_id, invoice_id, status=422)
    policy = await _policy(visit)
    is_outrun = False
    async with visit.deployment.db.unit(visit.place.id) as unit:
        asked = await _read(unit, "retry", customer_id, invoice_id, policy, is_locked=True)
        if not asked.obstacles:
            # A page that was opened before the last try does not ask for the one after it.
            is_outrun = visit.form.get("try") != str(next_try(asked.loaded))
            if not is_outrun:
                await _write(visit, unit, "retry", asked.loaded, policy)
    return visit.redirect(_story(visit, customer_id, invoice_id, is_outrun=is_outrun))


@get(f"{_PATH}/stop", opt=EDITORS)
async def ask_stop(
    visit: NamedDependency[Visit], customer_id: CustomerId, invoice_id: InvoiceId
) -> ASGIResponse:
    """Ask whether nothing more is to be tried, and why."""
    return await _ask(visit, "stop", customer_id, invoice_id)


@post(f"{_PATH}/stop", opt=EDITORS)
async def stop(
    visit: NamedDependency[Visit], customer_id: CustomerId, invoice_id: InvoiceId
) -> ASGIResponse:
    """Have nothing more tried; with the policy's end, if that is ticked."""
    if not _reason(visit):
        return await _ask(visit, "stop", customer_id, invoice_id, status=422)
    policy = await _policy(visit)
    async with visit.deployment.db.unit(visit.place.id) as unit:
        asked = await _read(unit, "stop", customer_id, invoice_id, policy, is_locked=True)
        if not asked.obstacles:
            wish: AskedFor = "end" if visit.form.get("end") else "stop"
            await _write(visit, unit, wish, asked.loaded, policy)
    return visit.redirect(_story(visit, customer_id, invoice_id))


HANDLERS = (ask_retry, retry, ask_stop, stop)


def _reason(visit: Visit) -> str | None:
    """Why, as it was typed; None where that is too long."""
    reason = visit.form.get("reason", "").strip()
    return reason if len(reason) <= _LONGEST_REASON else None


async def _policy(visit: Visit) -> RetryPolicy:
    published = await visit.deployment.directory.published(visit.tenant)
    return published.configuration.retries


async def _read(
    unit: Unit,
    wish: AskedFor,
    customer_id: str,
    invoice_id: str,
    policy: RetryPolicy,
    *,
    is_locked: bool = False,
) -> _Asked:
    """Raises `NotFound` for an invoice of others, or one that is not followed."""
    loaded = await find_case(unit, customer_id, invoice_id, is_locked=is_locked)
    if wish == "retry":
        obstacles = why_no_retry(loaded, policy, await is_turned_away(unit))
    else:
        obstacles = why_no_stop(loaded, policy)
    return _Asked(loaded, obstacles)


async def _write(
    visit: Visit, unit: Unit, wish: AskedFor, loaded: Loaded, policy: RetryPolicy
) -> None:
    await ask_for(unit, loaded, wish)
    details: dict[str, object] = {
        "customer": loaded.case.customer_id,
        "state": loaded.case.state,
        "before": {"asked_for": loaded.case.asked_for or ""},
        "after": {"asked_for": wish},
        "reason": _reason(visit),
    }
    if wish == "retry":
        details["attempt"] = next_try(loaded)
    action = "dunning_case.retry_asked" if wish == "retry" else "dunning_case.stop_asked"
    if wish == "end":
        details["end"] = msgspec.to_builtins(policy.end)
    await visit.record(unit, action, loaded.case.invoice_id, details)
    visit.deployment.outbox.knock_after_commit(unit, RUN_DUNNING)


async def _ask(
    visit: Visit, wish: AskedFor, customer_id: str, invoice_id: str, status: int = 200
) -> ASGIResponse:
    """The page with its question; where it cannot be done any more, the customer's own page."""
    policy = await _policy(visit)
    async with visit.deployment.db.unit(visit.place.id) as unit:
        asked = await _read(unit, wish, customer_id, invoice_id, policy)
        payment = await find_failed_payment(unit, customer_id, invoice_id)
        methods = await read_methods(unit, customer_id)
    if asked.obstacles or payment is None:
        return visit.redirect(_story(visit, customer_id, invoice_id))
    method_id = charged_at_once(asked.loaded, policy)
    words = speech(visit.locale)
    mistakes = {}
    if status != 200:
        mistakes["reason"] = words.gettext(_("Please say why, in up to 500 characters."))
    return visit.page(
        f"payment_{wish}.html",
        status=status,
        payment=payment,
        customer_id=customer_id,
        number=next_try(asked.loaded),
        method=next((it for it in methods.all if it.id == method_id), None),
        endings=tuple(
            words.gettext(VALUES[it]) for it in (policy.end.subscription, policy.end.invoice)
        ),
        fields=visit.form,
        mistakes=mistakes,
    )


def _story(visit: Visit, customer_id: str, invoice_id: str, *, is_outrun: bool = False) -> str:
    """The customer's page, at this payment."""
    query = "?outrun=1" if is_outrun else ""
    return f"{visit.path(f'/customers/{quote(customer_id)}')}{query}#payment-{quote(invoice_id)}"
