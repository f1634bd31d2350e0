"""Which of the provider's prices are offered, in which order, and in which words."""

import re
from urllib.parse import urlencode

from litestar import get, post
from litestar.di import NamedDependency
from litestar.response.base import ASGIResponse

from guichet.billing.catalog import find_prices, list_prices
from guichet.billing.delivery_health import delivery_health
from guichet.billing.reconciling import RECONCILE_TENANT, hurry_reconciliation
from guichet.console.access import EDITORS
from guichet.console.settings.queries import read_query
from guichet.console.settings.rows import arrange
from guichet.console.settings.sections import SectionPage, read_draft, save_posted, show_section
from guichet.console.visit import Visit
from guichet.db import Unit
from guichet.payments.choose import SECRET_KEY
from guichet.web.forms import Form
from tenants.vault import secret_names

_PAGE = SectionPage("plans", "/plans", "plans.html")
_PRICE = re.compile(r"plans\[[0-9]{1,4}\]\.price_id")
#: As many as a document takes.
_MOST = 200
_LONGEST = 255


@get("/merchants/{merchant:str}/plans", opt=EDITORS)
async def plans(visit: NamedDependency[Visit]) -> ASGIResponse:
    """What the draft says, and the prices to choose from."""
    draft = await read_draft(visit)
    offered = [plan.price_id for plan in draft.configuration.plans]
    return await show_section(visit, _PAGE, **await _context(visit, offered))


@post("/merchants/{merchant:str}/plans", opt=EDITORS)
async def save_plans(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Save it into the draft, as the pressed button has it."""
    visit.form = arrange(visit.form, "plans", "price_id")
    return await save_posted(visit, _PAGE, **await _context(visit, _named(visit.form)))


@post("/merchants/{merchant:str}/plans/import", opt=EDITORS)
async def import_prices(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Have the account be read by a worker, now rather than at the next round."""
    async with visit.deployment.db.unit(visit.place.id) as unit:
        await hurry_reconciliation(unit)
        await visit.record(unit, "provider.import_asked", visit.place.slug, {})
        visit.deployment.outbox.knock_after_commit(unit, RECONCILE_TENANT)
    return visit.redirect(visit.path(f"{_PAGE.path}?importing=1"))


async def _context(visit: Visit, offered: list[str]) -> dict[str, object]:
    """What the page shows beside the form; the prices looked for are in the query."""
    query = read_query(visit)
    search, inactive = query.get("q", ""), "inactive" in query
    async with visit.deployment.db.unit(visit.place.id) as unit:
        listed = await list_prices(unit, search, query.get("after", ""), inactive=inactive)
        return {
            "prices": await find_prices(unit, offered),
            "listed": listed,
            "health": await delivery_health(unit),
            "has_key": await _has_key(unit),
            "offered": frozenset(offered),
            "most": _MOST,
            "search": search,
            "inactive": inactive,
            "newest": _list_path(visit, query) if "after" in query else "",
            "older": _list_path(visit, query, listed.more_after) if listed.more_after else "",
            "import_path": visit.path(f"{_PAGE.path}/import"),
            "connections": visit.path("/connections"),
            "importing": "importing" in query,
        }


def _list_path(visit: Visit, query: dict[str, str], after: str = "") -> str:
    """A page of the list of prices, of what is looked for."""
    kept = {name: query[name] for name in ("q", "inactive") if query.get(name)}
    asked = urlencode(kept | ({"after": after} if after else {}))
    return visit.path(f"{_PAGE.path}?{asked}") if asked else visit.path(_PAGE.path)


async def _has_key(unit: Unit) -> bool:
    return SECRET_KEY in await secret_names(unit.connection, unit.tenant_id)


def _named(form: Form) -> list[str]:
    """The prices that a form names, in whatever order."""
    return [text[:_LONGEST] for name, text in form.items() if _PRICE.fullmatch(name)]


HANDLERS = (plans, save_plans, import_prices)
