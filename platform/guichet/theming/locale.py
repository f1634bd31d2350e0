"""Languages: which one a visitor reads, its words, and how it writes money, dates and periods."""

import gettext as standard_gettext
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

from babel import Locale as BabelLocale
from babel.dates import format_date, format_interval
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from guichet.money import Money, format_money

TRANSLATIONS = Path(__file__).parent / "translations"
#: The languages that are complete, with their names in themselves. English is in the templates.
LANGUAGES = {"en": "English", "fr": "Français"}
DEFAULT = "en"

# A Babel format takes 15 to 40 µs, a page has thirty of them, and prices and days recur.
_KEPT_TEXTS = 8192
_LONGEST_HEADER = 500

# Inside of `Speech` its method has this name.
_Day: TypeAlias = date


def negotiate(customer: str | None, accept_language: str, tenant: str) -> str:
    """The customer's own choice, else the best of `Accept-Language`, else the tenant's language.

    The header is read as RFC 9110 section 12.5.4 has it; what cannot be read in it is skipped.
    """
    if customer in LANGUAGES:
        return customer
    accepted = _accepted_languages(accept_language)
    return accepted or (tenant if tenant in LANGUAGES else DEFAULT)


@lru_cache(maxsize=1024)
def _accepted_languages(header: str) -> str | None:
    """The language of ours with the highest weight; the earlier one where two are equal."""
    best, best_weight = None, 0.0
    for part in header[:_LONGEST_HEADER].split(","):
        tag, _, weight_text = part.partition(";")
        language = tag.strip().lower().partition("-")[0]
        weight = _weight(weight_text)
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(text: str) -> float:
    name, _, value = text.replace(" ", "").partition("=")
    if not name:
        return 1.0
    try:
        weight = float(value) if name.lower() == "q" else 0.0
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


def gettext(locale: str) -> Callable[[str], str]:
    """The function that translates an English sentence into the locale's language."""
    return speech(locale).gettext


@cache
def speech(locale: str) -> "Speech":
    """The words and formats of a locale, read once."""
    return Speech(locale)


class Speech:
    """One language's words and formats; templates use its methods as functions and filters."""

    def __init__(self, locale: str) -> None:
        self.code = locale
        self.direction = BabelLocale.parse(locale).text_direction
        self._catalogue = _read_catalogue(TRANSLATIONS / f"{locale}.po", locale)
        kept = lru_cache(maxsize=_KEPT_TEXTS)
        self.money = kept(self._money)
        # By day: every invoice has a moment of its own, but days are few.
        self._day = kept(self._format_day)
        self._days = kept(self._format_days)
        self.interval = kept(self._interval)

    def gettext(self, message: str, **values: object) -> str:
        """Translate; `%(name)s` takes the values, which autoescape makes harmless afterwards."""
        text = self._catalogue.gettext(message) if message else ""
        return text % values if values else text

    def ngettext(self, singular: str, plural: str, number: int, **values: object) -> str:
        """Translate with the plural form for the number, which is also `%(number)s`."""
        text = self._catalogue.ngettext(singular, plural, number)
        return text % (values | {"number": number})

    def _money(self, money: Money) -> str:
        # CLDR writes a hyphen; a minus has the width of a figure and does not break a line.
        return format_money(money, self.code).replace("-", "\N{MINUS SIGN}")

    def date(self, moment: datetime, style: str = "long") -> str:
        """The day of a moment, in UTC: `November 3, 2026`."""
        return self._day(moment.astimezone(UTC).date(), style)

    def _format_day(self, day: _Day, style: str) -> str:
        text = format_date(day, style, locale=self.code)
        # French counts the first of a month as an ordinal, which CLDR's patterns leave out.
        return f"1er{text[1:]}" if self.code == "fr" and text.startswith("1 ") else text

    def period(self, start: datetime, end: datetime) -> str:
        """From one day to another, in UTC: `Nov 3 – Dec 2, 2026`."""
        return self._days(start.astimezone(UTC).date(), end.astimezone(UTC).date())

    def _format_days(self, first: _Day, last: _Day) -> str:
        return format_interval(first, last, "yMMMd", locale=self.code)

    def _interval(self, unit: str | None, count: int | None) -> str:
        """How often a price is charged: `per month`, `every 3 months`; once: nothing."""
        if unit is None:
            return ""
        number = count or 1
        words = {
            "day": lambda: self.ngettext("per day", "every %(number)s days", number),
            "week": lambda: self.ngettext("per week", "every %(number)s weeks", number),
            "month": lambda: self.ngettext("per month", "every %(number)s months", number),
            "year": lambda: self.ngettext("per year", "every %(number)s years", number),
        }
        return words[unit]()


def _read_catalogue(path: Path, locale: str) -> standard_gettext.NullTranslations:
    """A committed .po file, compiled in memory; a language without one speaks the msgids."""
    if not path.exists():
        return standard_gettext.NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source, locale=locale))
    compiled.seek(0)
    return standard_gettext.GNUTranslations(compiled)
