"""Languages: negotiation, formats, and a French that is complete."""

import re
from datetime import UTC, datetime

import pytest
from babel.messages.catalog import Message
from hypothesis import given
from hypothesis import strategies as st

from guichet.money import Money
from guichet.theming.locale import LANGUAGES, gettext, negotiate, speech
from tests.theming import messages

_NARROW, _HARD = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"
_PLACEHOLDER = re.compile(r"%\(\w+\)s")


@pytest.mark.parametrize(
    ("customer", "header", "tenant", "expected"),
    [
        ("fr", "en", "en", "fr"),
        ("xx", "fr", "en", "fr"),
        (None, "fr-CA,fr;q=0.8,en;q=0.5", "en", "fr"),
        (None, "en;q=0.2, FR ; q=0.9", "en", "fr"),
        (None, "de,nl;q=0.9", "fr", "fr"),
        (None, "fr;q=0,en;q=0.1", "fr", "en"),
        (None, "fr;q=nan,en;q=2", "fr", "fr"),
        (None, "*", "fr", "fr"),
        (None, "", "xx", "en"),
        (None, "en,fr", "fr", "en"),
    ],
)
def test_the_customers_choice_comes_before_the_browsers_and_the_tenants(
    customer: str | None, header: str, tenant: str, expected: str
) -> None:
    assert negotiate(customer, header, tenant) == expected


@given(st.text(), st.text())
def test_any_header_is_answered_in_a_language_of_ours(header: str, tenant: str) -> None:
    assert negotiate(None, header, tenant) in LANGUAGES


def test_money_is_written_as_the_locale_does() -> None:
    assert speech("en").money(Money(123456, "eur")) == "€1,234.56"
    assert speech("fr").money(Money(123456, "eur")) == f"1{_NARROW}234,56{_HARD}€"
    assert speech("en").money(Money(-50, "eur")) == "−€0.50"
    assert speech("en").money(Money(1980, "jpy")) == "¥1,980"


def test_dates_are_those_of_the_utc_day() -> None:
    moment = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert speech("en").date(moment) == "December 31, 2026"
    assert speech("fr").date(moment) == "31 décembre 2026"


def test_french_counts_the_first_of_a_month_as_an_ordinal() -> None:
    assert speech("fr").date(datetime(2027, 1, 1, tzinfo=UTC)) == "1er janvier 2027"
    assert speech("fr").date(datetime(2027, 1, 11, tzinfo=UTC)) == "11 janvier 2027"


def test_intervals_have_their_plural() -> None:
    assert speech("en").interval("month", 1) == "per month"
    assert speech("en").interval("month", 3) == "every 3 months"
    assert speech("fr").interval("week", 2) == "toutes les 2 semaines"
    assert speech("fr").interval("year", 1) == "par an"
    assert speech("fr").interval(None, None) == ""


def test_an_unknown_sentence_is_shown_as_it_is() -> None:
    assert gettext("fr")("Said by nobody") == "Said by nobody"
    assert gettext("fr")("") == ""


def test_french_is_complete_and_holds_nothing_stale() -> None:
    template = {message.id for message in messages.template_catalogue()}
    for language in messages.translated_languages():
        catalogue = messages.read_catalogue(language)
        known = {message.id for message in catalogue}
        assert template - known == set(), "run python -m tests.theming.messages and translate"
        assert known - template == set(), "run python -m tests.theming.messages"
        for message in catalogue:
            assert all(messages.strings(message)) or not message.id, message.id
            assert not message.fuzzy, message.id


def _translations() -> list[Message]:
    return [
        message
        for language in messages.translated_languages()
        for message in messages.read_catalogue(language)
        if message.id
    ]


def test_translations_keep_every_placeholder() -> None:
    for message in _translations():
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        wanted = set(_PLACEHOLDER.findall(str(ids[-1])))
        for text in messages.strings(message)[len(ids) - 1 :]:
            assert set(_PLACEHOLDER.findall(text)) == wanted, message.id
            assert "%" not in _PLACEHOLDER.sub("", text), message.id


def test_french_has_the_spaces_of_french_typography() -> None:
    for message in _translations():
        for text in messages.strings(message):
            assert not re.search(rf"(?<!{_NARROW})[;!?]", text), text
            assert not re.search(rf"(?<!{_HARD}):", text), text
            assert "'" not in text, text
            assert "..." not in text, text
