"""A merchant's first page, and its charts as CSV."""

from collections.abc import Iterable
from typing import Annotated, get_args

import msgspec
from babel.numbers import format_percent
from litestar import get
from litestar.di import NamedDependency
from litestar.params import PathParameter
from litestar.response.base import ASGIResponse

from guichet.console.access import EDITORS, READERS, SUPPORTERS
from guichet.console.overview.attention import points
from guichet.console.overview.checklist import is_live, steps
from guichet.console.overview.showing import Name, charts, export, month_name
from guichet.console.visit import Visit
from guichet.errors import NotFound
from guichet.metrics.counting import Month
from guichet.metrics.figures import Figures, read_figures
from guichet.metrics.health import read_health
from guichet.money import Money
from guichet.theming.locale import speech
from tenants.drafts import load_draft


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


class Stat(msgspec.Struct, frozen=True):
    """One figure, and how it was a month ago, in the reader's language."""

    label: str
    value: str
    note: str
    #: positive, negative or nothing.
    kind: str = ""


@get("/merchants/{merchant:str}", opt=READERS)
async def overview(visit: NamedDependency[Visit]) -> ASGIResponse:
    """How the portal stands; nobody's name is on it."""
    async with visit.deployment.db.unit(visit.place.id) as unit:
        figures, health = await read_figures(unit), await read_health(unit)
        draft = await load_draft(unit.connection, unit.tenant_id)
    may_edit = visit.place.role in EDITORS["access"].roles
    visit.has_draft = may_edit and draft.is_changed
    found = points(health, visit.place.status == "suspended")
    return visit.page(
        "overview.html",
        figures=figures,
        stats=tuple(_stats(figures, visit.locale)) if figures else (),
        charts=charts(figures.months, visit.locale) if figures else (),
        points=tuple(found),
        steps=steps(health, draft),
        is_live=is_live(health, draft),
        may_edit=may_edit,
        may_support=visit.place.role in SUPPORTERS["access"].roles,
    )


@get("/merchants/{merchant:str}/overview/{chart:str}", opt=READERS)
async def chart_csv(
    visit: NamedDependency[Visit], chart: Annotated[str, PathParameter(max_length=40)]
) -> ASGIResponse:
    """What a chart shows, for a spreadsheet."""
    name = chart.removesuffix(".csv")
    if name not in get_args(Name) or name == chart:
        raise NotFound
    async with visit.deployment.db.unit(visit.place.id) as unit:
        figures = await read_figures(unit)
    body = export(figures.months if figures else (), msgspec.convert(name, Name))
    filename = f"{visit.place.slug}-{chart}"
    return ASGIResponse(
        body=body,
        headers={
            "content-type": "text/csv; charset=utf-8; header=present",
            "content-disposition": f'attachment; filename="{filename}"',
        },
    )


def _stats(figures: Figures, locale: str) -> Iterable[Stat]:
    words, today = speech(locale), figures.today
    before = figures.months[-2] if len(figures.months) > 1 else Month(name="")
    amounts = [Money(amount, currency) for currency, amount in today.mrr.items()]
    for money in amounts:
        then = Money(before.mrr.get(money.currency, 0), money.currency)
        note, kind = _change(money, then, before.name, locale)
        yield Stat(words.gettext(_("MRR")), words.money(money), note, kind)
    if not amounts:
        yield Stat(words.gettext(_("MRR")), "–", words.gettext(_("No paid subscription yet")))
    overdue = words.gettext(
        _("%(past_due)s past due, %(trialing)s in trial"),
        past_due=today.past_due,
        trialing=today.trialing,
    )
    yield Stat(words.gettext(_("Active subscriptions")), str(today.active), overdue)
    yield Stat(words.gettext(_("Customers")), str(today.customers), "")
    month = figures.months[-1]
    for label, now, then_count in (
        (_("New this month"), month.started, before.started),
        (_("Cancelled this month"), month.ended, before.ended),
    ):
        note = words.gettext(_("%(number)s last month"), number=then_count) if before.name else ""
        yield Stat(words.gettext(label), str(now), note)
    note = words.gettext(
        _("%(recovered)s recovered; %(number)s failed last month"),
        recovered=month.recovered,
        number=before.failed,
    )
    yield Stat(words.gettext(_("Failed this month")), str(month.failed), note)


def _change(now: Money, then: Money, month: str, locale: str) -> tuple[str, str]:
    """By how much an amount has changed since the end of a month, and whether that is good."""
    if not month or not then.amount:
        return "", ""
    words, since = speech(locale), month_name(month, locale)
    if now.amount == then.amount:
        return words.gettext(_("As at the end of %(month)s"), month=since), ""
    share = (now.amount - then.amount) / then.amount
    text = format_percent(share, "+#,##0.# %;-#,##0.# %", locale=locale)
    kind = "positive" if share > 0 else "negative"
    return words.gettext(_("%(share)s since the end of %(month)s"), share=text, month=since), kind


HANDLERS = (overview, chart_csv)
