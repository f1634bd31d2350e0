"""A merchant's customers, and the whole story of one of them."""

from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from litestar.response.base import ASGIResponse

from guichet.billing.customer_search import PAGE_SIZE, list_customers, search_customers
from guichet.billing.customer_stories import FollowedPayment, read_story
from guichet.billing.dunning.cases.cases import CLOSED, Attempt
from guichet.billing.dunning.decisions.facts import Reason
from guichet.billing.dunning.decisions.reasons import merchant_text
from guichet.console.access import SUPPORTERS
from guichet.console.customers.words import ACCESS, ATTEMPTS, CASES, MESSAGES
from guichet.console.publishing.labels import VALUES
from guichet.console.visit import Visit
from guichet.errors import NotFound
from guichet.messages.log import list_messages
from guichet.theming.locale import Speech, speech

_LONGEST_SEARCH = 200
_MOST_MESSAGES = 20


class ToldAttempt(msgspec.Struct, frozen=True):
    """An attempt in words."""

    at: datetime
    what: str
    kind: str
    reasons: tuple[str, ...]
    #: Codes of the decline as the provider and the network gave them, for those who ask the bank.
    codes: str
    request_id: str


class ToldPayment(msgspec.Struct, frozen=True):
    """A failed payment in words."""

    payment: FollowedPayment
    state: str
    kind: str
    access: str
    #: When something is done next, where that is known.
    next_at: datetime | None
    reasons: tuple[str, ...]
    attempts: tuple[ToldAttempt, ...]


@get("/merchants/{merchant:str}/customers", opt=SUPPORTERS)
async def customers(
    visit: NamedDependency[Visit],
    search: Annotated[str, QueryParameter(name="q", max_length=_LONGEST_SEARCH)] = "",
    after: Annotated[str, QueryParameter(max_length=200)] = "",
) -> ASGIResponse:
    """The newest first, or those that are looked for."""
    wanted = search.strip()
    if "\0" in wanted:
        raise NotFound
    async with visit.deployment.db.unit(visit.place.id) as unit:
        if wanted:
            found, older = await search_customers(unit, wanted), None
        else:
            page = await list_customers(unit, after)
            found, older = page.customers, page.older
    return visit.page(
        "customers.html",
        customers=found[:PAGE_SIZE],
        search=wanted,
        has_more=len(found) > PAGE_SIZE,
        next_url=f"?{urlencode({'after': older})}" if older else "",
        first_url="?" if after else "",
    )


@get("/merchants/{merchant:str}/customers/{customer_id:str}", opt=SUPPORTERS)
async def customer(
    visit: NamedDependency[Visit],
    customer_id: Annotated[str, PathParameter(max_length=255)],
    after: Annotated[str, QueryParameter(max_length=200)] = "",
) -> ASGIResponse:
    """One customer: what they have, what failed and why, what they were told, when they came."""
    async with visit.deployment.db.unit(visit.place.id) as unit:
        story = await read_story(unit, customer_id, after or None)
        messages = await list_messages(unit, customer_id, limit=_MOST_MESSAGES)
    words = speech(visit.locale)
    return visit.page(
        "customer.html",
        story=story,
        payments=tuple(_tell(it, words) for it in story.payments),
        messages=tuple(
            (it, words.gettext(VALUES[it.kind]), words.gettext(MESSAGES[it.state]))
            for it in messages
        ),
        older_url=f"?{urlencode({'after': story.invoices.older})}#invoices"
        if story.invoices.older
        else "",
        first_url="?#invoices" if after else "",
    )


HANDLERS = (customers, customer)


def _tell(payment: FollowedPayment, words: Speech) -> ToldPayment:
    label, kind = CASES[payment.state]
    decision = payment.decision
    is_open = payment.state not in CLOSED
    return ToldPayment(
        payment=payment,
        state=words.gettext(label),
        kind=kind,
        access=words.gettext(ACCESS[payment.access]),
        next_at=decision.at if decision and is_open else None,
        reasons=_reasons(decision.reasons, words) if decision else (),
        attempts=tuple(_tell_attempt(it, words) for it in payment.attempts),
    )


def _tell_attempt(attempt: Attempt, words: Speech) -> ToldAttempt:
    label, kind = ATTEMPTS[attempt.state]
    codes = (attempt.decline_code, attempt.network_decline_code, attempt.network_advice_code)
    return ToldAttempt(
        at=attempt.started_at,
        what=words.gettext(label),
        kind=kind,
        reasons=_reasons(attempt.reasons, words),
        codes=", ".join(filter(None, codes)),
        request_id=attempt.request_id or "",
    )


def _reasons(reasons: tuple[Reason, ...], words: Speech) -> tuple[str, ...]:
    told = []
    for reason in reasons:
        message, facts = merchant_text(reason)
        told.append(words.gettext(message, **facts))
    return tuple(told)
