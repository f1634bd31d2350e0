"""A merchant's customers, and the whole story of one of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlencode

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from litestar.response.base import ASGIResponse

from guichet.billing.customer_search import (
    Standing,
    list_customers,
    list_standing,
    search_customers,
)
from guichet.billing.customer_stories import CustomerStory, FollowedPayment, read_story
from guichet.billing.dunning.cases.cases import CLOSED, Attempt
from guichet.billing.dunning.cases.loading import Loaded
from guichet.billing.dunning.decisions.facts import Reason
from guichet.billing.dunning.interventions import (
    followed_cases,
    is_turned_away,
    why_no_retry,
    why_no_stop,
)
from guichet.console.access import EDITORS, SUPPORTERS
from guichet.console.customers.words import (
    ACCESS,
    ATTEMPTS,
    CASES,
    FILTERS,
    MESSAGES,
    STOPPED,
    tell_reasons,
)
from guichet.console.publishing.labels import VALUES
from guichet.console.visit import Visit
from guichet.db import Unit
from guichet.errors import NotFound
from guichet.messages.log import list_messages
from guichet.theming.locale import Speech, speech
from tenants.retries import RetryPolicy

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
    is_open: bool
    #: Whether a try was asked for that is not made yet.
    is_asked_for: bool
    #: Why nobody of the team can have it tried now, or stopped; nothing where they can.
    why_no_retry: tuple[str, ...]
    why_no_stop: tuple[str, ...]


class _Hands(msgspec.Struct, frozen=True, kw_only=True):
    """What decides how far the customer's open cases are in the team's hands."""

    cases: dict[str, Loaded]
    policy: RetryPolicy
    is_away: bool

    def why_no_retry(self, held: Loaded) -> Sequence[Reason]:
        return why_no_retry(held, self.policy, self.is_away)


@get("/merchants/{merchant:str}/customers", opt=SUPPORTERS)
async def customers(
    visit: NamedDependency[Visit],
    search: Annotated[str, QueryParameter(name="q", max_length=_LONGEST_SEARCH)] = "",
    after: Annotated[str, QueryParameter(max_length=200)] = "",
    status: Annotated[Literal["", Standing], QueryParameter()] = "",
) -> ASGIResponse:
    """The newest first, those whose subscriptions stand so, and those that are looked for."""
    wanted = search.strip()
    if "\0" in wanted:
        raise NotFound
    older, has_more = None, False
    async with visit.deployment.db.unit(visit.place.id) as unit:
        if wanted:
            found = await search_customers(unit, wanted, status or None)
            shown, has_more = found.customers, found.has_more
        else:
            page = await (
                list_standing(unit, status, after) if status else list_customers(unit, after)
            )
            shown, older = page.customers, page.older
    return visit.page(
        "customers.html",
        customers=shown,
        search=wanted,
        standing=status,
        tabs=tuple((label, _address(q=wanted, status=it), it == status) for it, label in FILTERS),
        has_more=has_more,
        next_url=_address(status=status, after=older) if older else "",
        first_url=_address(status=status) if after else "",
    )


def _address(**wanted: str) -> str:
    """This list with other wishes; those that are empty are none."""
    return f"?{urlencode({name: text for name, text in wanted.items() if text})}"


@get("/merchants/{merchant:str}/customers/{customer_id:str}", opt=SUPPORTERS)
async def customer(
    visit: NamedDependency[Visit],
    customer_id: Annotated[str, PathParameter(max_length=255)],
    after: Annotated[str, QueryParameter(max_length=200)] = "",
    outrun: Annotated[str, QueryParameter(max_length=1)] = "",
) -> ASGIResponse:
    """One customer: what they have, what failed and why, what they were told, when they came."""
    # Before the unit: whoever has one connection must not wait for another.
    published = await visit.deployment.directory.published(visit.tenant)
    async with visit.deployment.db.unit(visit.place.id) as unit:
        story = await read_story(unit, customer_id, after or None)
        messages = await list_messages(unit, customer_id, limit=_MOST_MESSAGES)
        hands = await _read_hands(unit, story, published.configuration.retries)
    words = speech(visit.locale)
    return visit.page(
        "customer.html",
        story=story,
        payments=tuple(_tell(it, hands, words) for it in story.payments),
        may_stop=visit.place.role in EDITORS["access"].roles,
        is_outrun=bool(outrun),
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


async def _read_hands(unit: Unit, story: CustomerStory, policy: RetryPolicy) -> _Hands:
    open_ids = [it.invoice_id for it in story.payments if it.state not in CLOSED]
    return _Hands(
        cases=await followed_cases(unit, story.person.id, open_ids) if open_ids else {},
        policy=policy,
        is_away=await is_turned_away(unit) if open_ids else False,
    )


def _tell(payment: FollowedPayment, hands: _Hands, words: Speech) -> ToldPayment:
    held = hands.cases.get(payment.invoice_id)
    decision = payment.decision
    label, kind = STOPPED if decision and decision.is_stopped else CASES[payment.state]
    is_open = payment.state not in CLOSED
    return ToldPayment(
        payment=payment,
        state=words.gettext(label),
        kind=kind,
        access=words.gettext(ACCESS[payment.access]),
        next_at=decision.at if decision and is_open else None,
        reasons=tell_reasons(decision.reasons, words) if decision else (),
        attempts=tuple(_tell_attempt(it, words) for it in payment.attempts),
        is_open=held is not None,
        is_asked_for=held is not None and held.facts.asked_for == "retry",
        why_no_retry=tell_reasons(hands.why_no_retry(held), words) if held else (),
        why_no_stop=tell_reasons(why_no_stop(held, hands.policy), words) if held else (),
    )


def _tell_attempt(attempt: Attempt, words: Speech) -> ToldAttempt:
    label, kind = ATTEMPTS[attempt.state]
    codes = (attempt.decline_code, attempt.network_decline_code, attempt.network_advice_code)
    return ToldAttempt(
        at=attempt.started_at,
        what=words.gettext(label),
        kind=kind,
        reasons=tell_reasons(attempt.reasons, words),
        codes=", ".join(filter(None, codes)),
        request_id=attempt.request_id or "",
    )
