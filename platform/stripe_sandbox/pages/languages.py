"""The languages of the hosted pages: which one a reader gets, its sentences, amounts and dates."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from stripe_sandbox.catalog.pricing import figure, money
from stripe_sandbox.pages.french import MONTHS, SENTENCES, SYMBOLS
from stripe_sandbox.state.documents import Document


@dataclass(frozen=True)
class Language:
    """English sentences stand in the pages; another language is a table of them."""

    code: str = "en"
    sentences: dict[str, str] = field(default_factory=dict)

    def say(self, sentence: str, **parts: str) -> str:
        """A sentence with its `{parts}`; one that the table lacks stays English."""
        return self.sentences.get(sentence, sentence).format_map(parts)

    def money(self, amount: int, currency: str) -> str:
        """An amount in minor units: `$12.50`, or `12,50 €` in French."""
        if self.code == "en":
            return money(amount, currency)
        # Thin spaces part thousands and a firm one the sign, so that no amount is torn apart.
        digits = figure(abs(amount), currency).replace(",", "\u202f").replace(".", ",")
        sign = "-" if amount < 0 else ""
        return f"{sign}{digits}\u00a0{SYMBOLS.get(currency, currency.upper())}"

    def day(self, moment: int | None) -> str:
        """A date: 22 Nov 2026, or 22 nov. 2026."""
        if not moment:
            return "—"
        at = datetime.fromtimestamp(moment, UTC)
        month = f"{at:%b}" if self.code == "en" else MONTHS[at.month - 1]
        return f"{at.day:02d} {month} {at.year}"


ENGLISH = Language()
FRENCH = Language("fr", SENTENCES)
_LANGUAGES = {"en": ENGLISH, "fr": FRENCH}


def language_for(accepted: str, *wanted: str | None) -> Language:
    """What the merchant or the customer wanted, else the first language that a browser accepts.

    `accepted` is the `Accept-Language` header (RFC 9110, section 12.5.4); `wanted` are locales
    such as `fr-CA`, of which `auto` leaves it to the browser.
    """
    for locale in (*wanted, *_by_preference(accepted)):
        if known := _LANGUAGES.get((locale or "").partition("-")[0].strip().lower()):
            return known
    return ENGLISH


def _by_preference(accepted: str) -> list[str]:
    weighed = []
    for entry in accepted.split(","):
        locale, _, weight = entry.partition(";q=")
        try:
            weighed.append((float(weight or 1), locale))
        except ValueError:
            continue
    # The sort is stable: of two that weigh the same the first one named wins.
    return [locale for weight, locale in sorted(weighed, key=lambda pair: -pair[0]) if weight]


def locale_of(customer: Document | None) -> str | None:
    """The language that a customer prefers, if any was set."""
    locales = (customer or {}).get("preferred_locales") or [None]
    locale: str | None = locales[0]
    return locale
