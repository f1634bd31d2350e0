"""A form's fields are the document's paths: what is shown and sent back is what was there."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guichet.console.settings.documents import fields_of, read_section
from guichet.demo.merchants import ALL, Merchant
from tenants.branding import Link
from tenants.catalog import Plan
from tenants.configuration import Configuration
from tenants.identity_providers import IdentityProvider
from tenants.retries import POLAR


def _configuration(merchant: Merchant) -> Configuration:
    return Configuration(
        locale=merchant.locale,
        branding=merchant.branding,
        plans=(Plan("price_1", {"en": "One"}, True, 2, 5), Plan("price_2")),
        changes=merchant.changes,
        identity_providers=(IdentityProvider("work", "Work", "https://id.example", "client"),),
        support_email=merchant.support_email,
        retries=merchant.retries,
    )


@pytest.mark.parametrize("section", Configuration.__struct_fields__)
@pytest.mark.parametrize("merchant", ALL, ids=lambda it: it.slug)
def test_a_form_that_is_sent_back_untouched_changes_nothing(
    merchant: Merchant, section: str
) -> None:
    value = getattr(_configuration(merchant), section)
    assert read_section(section, fields_of(section, value)).value == value


def test_every_mistake_of_the_shape_is_named_by_its_field_and_what_was_typed_is_kept() -> None:
    form = {
        "retries.tries": "many",
        "retries.window_days": "61",
        "retries.waits_days": "2, five",
        "retries.collector": "nobody",
        "retries.time_zone": "UTC",
    }
    entered = read_section("retries", form)
    assert entered.value is None
    assert {it.path: it.english for it in entered.mistakes} == {
        "retries.tries": "Write a whole number from 0 to 20.",
        "retries.window_days": "Write a whole number from 1 to 60.",
        "retries.waits_days": "Write numbers from 0.01 to 60, with commas between them.",
        "retries.collector": "Choose one of: guichet, provider.",
    }
    assert entered.fields["retries.tries"] == "many"
    assert entered.fields["retries.waits_days"] == "2, five"


def test_a_row_that_was_left_empty_is_none_and_the_others_close_up() -> None:
    form = {
        "branding.theme": "plain",
        "branding.links[0].label": "",
        "branding.links[0].url": "",
        "branding.links[7].label": "Terms",
        "branding.links[7].url": "https://lumen.example/terms",
    }
    entered = read_section("branding", form)
    assert entered.value.links == (Link("Terms", "https://lumen.example/terms"),)
    assert entered.fields["branding.links[0].label"] == "Terms"


def test_the_lines_of_a_text_are_kept_as_they_were_written() -> None:
    entered = read_section("texts", {"texts.footer.en": "Lumen Ltd\r\nLondon\r\n"})
    assert entered.value.footer == {"en": "Lumen Ltd\nLondon"}


def test_boxes_and_one_field_say_the_same_list() -> None:
    boxes = read_section("mails", {"mails.switched_off[receipt]": "on"})
    field = read_section("mails", {"mails.switched_off": " receipt "})
    assert boxes.value.switched_off == field.value.switched_off == ("receipt",)


def test_a_policy_with_fractions_and_lists_survives() -> None:
    policy = msgspec.structs.replace(POLAR, pay_days=(1, 15), block_after_days=21)
    assert read_section("retries", fields_of("retries", policy)).value == policy


@given(
    st.dictionaries(
        st.from_regex(
            r"(branding|plans|retries)(\[[0-9]{1,3}\])?(\.[a-z_]{1,12}){0,3}", fullmatch=True
        ),
        st.text(max_size=30),
        max_size=20,
    )
)
def test_no_form_makes_anything_but_a_value_or_mistakes(form: dict[str, str]) -> None:
    for section in ("branding", "plans", "retries"):
        entered = read_section(section, form)
        assert (entered.value is None) == bool(entered.mistakes)
