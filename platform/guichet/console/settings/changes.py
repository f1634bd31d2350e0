"""The change rules: the table, what is done where no rule speaks, and a place to try them."""

import re
from types import MappingProxyType

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.response.base import ASGIResponse

from guichet.billing.catalog import Price, find_prices
from guichet.billing.change_rules import (
    ChangeableStatus,
    Outcome,
    Situation,
    decide,
    default_direction,
    direction,
)
from guichet.console.access import EDITORS
from guichet.console.settings.documents import fields_of
from guichet.console.settings.queries import read_query
from guichet.console.settings.rows import arrange
from guichet.console.settings.sections import SectionPage, read_draft, save_posted, show_section
from guichet.console.visit import Visit
from guichet.web.forms import Form
from tenants.catalog import ChangeRules, Direction
from tenants.configuration import Configuration

_PAGE = SectionPage("changes", "/changes", "changes.html")
_MOST = 50
_MOST_DIGITS = 6

_AT_ONCE = ChangeRules(downgrade="now", shorter_interval="now")
#: Ready-made answers below the table, as the settings of other portals have them; rules stay.
#: Sources: https://docs.stripe.com/api/customer_portal/configurations/object,
#: `features.subscription_update` with and without the conditions `decreasing_item_amount` and
#: `shortening_interval` of `schedule_at_period_end`; https://docs.polar.sh, the organization's
#: `proration_behavior`.
PRESETS = MappingProxyType(
    {
        "stripe_at_once": msgspec.structs.replace(_AT_ONCE, proration="create_prorations"),
        "stripe_period_end": ChangeRules(proration="create_prorations"),
        "polar_invoice": _AT_ONCE,
        "polar_prorate": msgspec.structs.replace(_AT_ONCE, proration="create_prorations"),
        "polar_next_period": ChangeRules(
            upgrade="period_end",
            downgrade="period_end",
            longer_interval="period_end",
            shorter_interval="period_end",
        ),
    }
)


class Trial(msgspec.Struct, frozen=True):
    """A change that was tried on the page, and what the rules say of it."""

    direction: Direction
    outcome: Outcome
    #: The default that spoke where no rule did.
    default: str


@get("/merchants/{merchant:str}/changes", opt=EDITORS)
async def changes(visit: NamedDependency[Visit]) -> ASGIResponse:
    """What the draft says, and what it would do to the change that is tried."""
    return await show_section(visit, _PAGE, **await _context(visit))


@post("/merchants/{merchant:str}/changes", opt=EDITORS)
async def save_changes(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Save it into the draft, as the pressed button has it."""
    visit.form = _preset(arrange(visit.form, "changes.rules", "direction"))
    return await save_posted(visit, _PAGE, **await _context(visit))


def _preset(form: Form) -> Form:
    """The form with a preset's answers in it, if the button of one was pressed."""
    preset = PRESETS.get(form.get("preset", ""))
    return form | fields_of("changes", preset) if preset else form


async def _context(visit: Visit) -> dict[str, object]:
    configuration = (await read_draft(visit)).configuration
    async with visit.deployment.db.unit(visit.place.id) as unit:
        prices = await find_prices(unit, [plan.price_id for plan in configuration.plans])
    offered = tuple(prices[it.price_id] for it in configuration.plans if it.price_id in prices)
    query = read_query(visit)
    return {
        "offered": offered,
        "products": {price.product_id: price.product for price in offered},
        "most": _MOST,
        "asked": query,
        "tried": _try(configuration, prices, query) if "try" in query else None,
    }


def _try(
    configuration: Configuration, prices: dict[str, Price], asked: dict[str, str]
) -> Trial | None:
    """What the draft does to a change; None where the change is none."""
    current, price = prices.get(asked.get("from", "")), prices.get(asked.get("to", ""))
    before, after = _quantity(asked, "before"), _quantity(asked, "after")
    status: dict[str, ChangeableStatus] = {"trialing": "trialing", "past_due": "past_due"}
    if current is None or price is None or (current.id == price.id and before == after):
        return None
    change = Situation(
        status=status.get(asked.get("status", ""), "active"),
        current=current,
        current_quantity=before,
        price=price,
        quantity=after,
    )
    outcome = decide(configuration.changes, change)
    return Trial(direction(change), outcome, default_direction(change))


def _quantity(asked: dict[str, str], name: str) -> int:
    text = asked.get(name, "")
    is_number = re.fullmatch(r"[0-9]+", text, re.ASCII) and len(text) <= _MOST_DIGITS
    return max(int(text), 1) if is_number else 1


HANDLERS = (changes, save_changes)
