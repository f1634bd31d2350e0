"""Figures as the page shows them: a chart with its table, and the same as a CSV."""

import csv
import io
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal

import msgspec
from babel.dates import format_date

from guichet.console.overview.charts import NARROW, WIDE, Drawing, Series, draw_bars
from guichet.metrics.counting import Month
from guichet.money import Money
from guichet.theming.locale import speech

Name = Literal["mrr", "subscriptions", "payments"]


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


class Chart(msgspec.Struct, frozen=True):
    """One chart with everything that stands around it, in the reader's language."""

    id: str
    title: str
    lead: str
    series: tuple[Series, ...]
    #: One for each kind of screen that needs one of its own: `any`, or `wide` and `small`.
    drawings: dict[str, Drawing]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    #: What a screen reader is told instead of the picture.
    about: str
    csv: Name


def charts(months: Sequence[Month], locale: str) -> tuple[Chart, ...]:
    """The overview's charts: of revenue, one for each currency, of subscriptions, of payments."""
    currencies = sorted({currency for month in months for currency in month.mrr})
    words = speech(locale)
    revenue = [_revenue(months, currency, locale, len(currencies) > 1) for currency in currencies]
    return (
        *revenue,
        _counts(
            months,
            locale,
            "subscriptions",
            words.gettext(_("New and cancelled")),
            words.gettext(_("Subscriptions that began, and that ended, in each month.")),
            (
                (words.gettext(_("New")), lambda it: it.started),
                (words.gettext(_("Cancelled")), lambda it: it.ended),
            ),
        ),
        _counts(
            months,
            locale,
            "payments",
            words.gettext(_("Failed and recovered")),
            words.gettext(_("Invoices whose payment failed, and those that were paid after all.")),
            (
                (words.gettext(_("Failed")), lambda it: it.failed),
                (words.gettext(_("Recovered")), lambda it: it.recovered),
            ),
        ),
    )


def month_name(name: str, locale: str, pattern: str = "LLLL y") -> str:
    """`November 2026` for `2026-11`."""
    return str(format_date(_first_day(name), pattern, locale=locale))


def export(months: Sequence[Month], name: Name) -> bytes:
    """What a chart shows as RFC 4180 has it: a row for each month, amounts in major units."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    if name == "mrr":
        currencies = sorted({currency for month in months for currency in month.mrr})
        writer.writerow(["month", *currencies])
        for month in months:
            amounts = (Money(month.mrr.get(it, 0), it).decimal for it in currencies)
            writer.writerow([month.name, *(f"{amount:f}" for amount in amounts)])
    else:
        fields = ("started", "ended") if name == "subscriptions" else ("failed", "recovered")
        writer.writerow(["month", *fields])
        writer.writerows([it.name, *(getattr(it, field) for field in fields)] for it in months)
    return text.getvalue().encode()


def _revenue(months: Sequence[Month], currency: str, locale: str, is_one_of_many: bool) -> Chart:
    words = speech(locale)
    amounts = [Money(month.mrr.get(currency, 0), currency) for month in months]
    title = words.gettext(_("Monthly recurring revenue"))
    series = Series(
        words.gettext(_("MRR")),
        tuple(it.decimal for it in amounts),
        tuple(words.money(it) for it in amounts),
    )
    return _chart(
        f"mrr-{currency}",
        f"{title} ({currency.upper()})" if is_one_of_many else title,
        words.gettext(_("At the end of each month, and now.")),
        (series,),
        months,
        locale,
        "mrr",
    )


def _counts(
    months: Sequence[Month],
    locale: str,
    name: Name,
    title: str,
    lead: str,
    counted: Sequence[tuple[str, Callable[[Month], int]]],
) -> Chart:
    series = tuple(
        Series(
            label,
            tuple(Decimal(count(month)) for month in months),
            tuple(str(count(month)) for month in months),
        )
        for label, count in counted
    )
    return _chart(name, title, lead, series, months, locale, name)


def _chart(
    id_: str,
    title: str,
    lead: str,
    series: tuple[Series, ...],
    months: Sequence[Month],
    locale: str,
    source: Name,
) -> Chart:
    names = [month_name(month.name, locale) for month in months]
    shown = [month_name(month.name, locale, "LLL") for month in months]
    rows = tuple((name, *(it.texts[place] for it in series)) for place, name in enumerate(names))
    words = speech(locale)
    about = " ".join(
        words.gettext(
            _("%(series)s: %(first)s in %(first_month)s, %(last)s in %(last_month)s."),
            series=it.name,
            first=it.texts[0],
            first_month=names[0],
            last=it.texts[-1],
            last_month=names[-1],
        )
        for it in series
    )
    heads = (words.gettext(_("Month")), *(it.name for it in series))
    widths = {"wide": WIDE, "small": NARROW} if source == "mrr" else {"any": NARROW}
    drawings = {name: draw_bars(series, shown, width) for name, width in widths.items()}
    return Chart(id_, title, lead, series, drawings, heads, rows, about, source)


def _first_day(name: str) -> date:
    return datetime.strptime(name, "%Y-%m").replace(tzinfo=UTC).date()
