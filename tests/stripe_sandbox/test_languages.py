"""The hosted pages speak English and French, whole sentences and all of them."""

import ast
import string
from pathlib import Path

import httpx
import pytest

from stripe_sandbox.pages import card_forms, invoice_pages
from stripe_sandbox.pages.french import SENTENCES
from stripe_sandbox.pages.languages import ENGLISH, FRENCH, language_for
from stripe_sandbox.payments import cards
from tests.stripe_sandbox.program import Account

_PAGES = Path(card_forms.__file__).parent
_SUMS = ("Subtotal", "Discount", "Total", "Applied balance", "Credit notes", "Amount due")


def _said(path: Path) -> set[str]:
    """The sentences that a module says."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    named = [call for call in calls if ast.unparse(call.func).rpartition(".")[2] == "say"]
    constants = [node for call in named for node in ast.walk(call.args[0])]
    words = [node.value for node in constants if isinstance(node, ast.Constant)]
    # What begins small is the name of a field, looked up for its sentence.
    return {word for word in words if isinstance(word, str) and not word[:1].islower()} - {""}


def test_every_sentence_of_the_pages_is_there_in_french() -> None:
    said = set().union(*(_said(path) for path in _PAGES.glob("*.py")))
    said |= {decline.message for decline in cards._DECLINES} | set(_SUMS)
    said |= {words for label in card_forms._LABELS.values() for words in (label[0], label[3])}
    said |= {*invoice_pages._STANDINGS.values(), card_forms._LIVE, card_forms._NOT_AUTHENTICATED}
    said |= {
        node.value
        for node in ast.walk(ast.parse(Path(card_forms.__file__).read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith("Your card")
        and node.value.endswith(".")
    }
    assert len(said) > 50
    assert said - SENTENCES.keys() - {"1234 1234 1234 1234", "CVC"} == set()


def test_a_translation_has_the_parts_of_its_sentence() -> None:
    def parts(sentence: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}

    assert all(parts(english) == parts(french) for english, french in SENTENCES.items())


@pytest.mark.parametrize(
    ("accepted", "wanted", "code"),
    [
        ("fr-FR,fr;q=0.9,en;q=0.8", (), "fr"),
        ("de, en;q=0.5, fr;q=0.7", (), "fr"),
        ("fr;q=0, en", (), "en"),
        ("fr;q=much", (), "en"),
        ("", (), "en"),
        ("en", ("auto", None), "en"),
        ("en", ("fr-CA",), "fr"),
        ("fr", ("en-GB",), "en"),
        ("de", ("nl", "fr"), "fr"),
    ],
)
def test_a_reader_gets_their_language(
    accepted: str, wanted: tuple[str | None, ...], code: str
) -> None:
    assert language_for(accepted, *wanted).code == code


def test_amounts_and_dates_are_written_as_in_french() -> None:
    assert FRENCH.money(123_450, "eur") == "1\u202f234,50\u00a0€"
    assert FRENCH.money(-500, "jpy") == "-500\u00a0¥"
    assert FRENCH.money(1_000, "chf") == "10,00\u00a0CHF"
    assert FRENCH.day(1_769_851_800) == "31 janv. 2026"
    assert ENGLISH.day(1_769_851_800) == "31 Jan 2026"


async def test_an_invoice_is_shown_in_the_customers_language(account: Account) -> None:
    customer = await account.v1.customers.create_async({"preferred_locales": ["fr-FR"]})
    invoice = await account.v1.invoices.create_async({"customer": customer.id})
    finalized = await account.v1.invoices.finalize_invoice_async(invoice.id)
    async with httpx.AsyncClient() as http:
        shown = await http.get(str(finalized.hosted_invoice_url), headers={"accept-language": "en"})
    assert '<html lang="fr">' in shown.text
    assert f"Facture {finalized.number}" in shown.text
