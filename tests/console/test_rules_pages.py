"""The pages about cancelling and features: sent back untouched, changed, and refused."""

import httpx

from tenants.cancelling import CancelRules, OwnReason
from tenants.drafts import load_draft
from tenants.features import Features
from tests.console.conftest import AsStaff
from tests.console.forms import Forms
from tests.console.town import Town, post

PLACE = "/merchants/lumen"


def fields_of(page: httpx.Response) -> dict[str, str]:
    """The fields of a page's settings form, without its token."""
    assert page.status_code == 200, page.text
    fields = Forms(page.text).by_action[""]
    return {name: text for name, text in fields.items() if name != "csrf"}


async def draft_of(town: Town, section: str) -> object:
    """What the draft says of a section."""
    async with town.deployment.db.unit(town.lumen.id) as unit:
        draft = await load_draft(unit.connection, unit.tenant_id)
    value: object = getattr(draft.configuration, section)
    return value


async def test_cancelling_is_set_as_it_was_filled_in_and_comes_back_untouched(
    town: Town, as_staff: AsStaff
) -> None:
    admin = await as_staff("admin")
    path = f"{PLACE}/cancelling"
    fields = fields_of(await admin.get(path))
    changed = fields | {
        "cancel.when": "choice",
        "cancel.reasons": "required",
        "cancel.proration": "create_prorations",
        "cancel.comment": "optional",
        "cancel.own_reasons[0].text.en": "I move",
        "cancel.own_reasons[0].text.fr": "Je déménage",
    }
    del changed["cancel.standard_reasons[other]"]
    saved = await post(admin, path, changed)
    assert saved.status_code == 303, saved.text
    rules = await draft_of(town, "cancel")
    assert isinstance(rules, CancelRules)
    assert (rules.when, rules.reasons, rules.comment) == ("choice", "required", "optional")
    assert rules.own_reasons == (OwnReason({"en": "I move", "fr": "Je déménage"}),)
    assert "other" not in rules.standard_reasons
    assert len(rules.standard_reasons) == 7
    again = fields_of(await admin.get(path))
    assert (await post(admin, path, again)).status_code == 303
    assert await draft_of(town, "cancel") == rules


async def test_reasons_that_nobody_could_choose_are_refused_in_words(
    town: Town, as_staff: AsStaff
) -> None:
    admin = await as_staff("admin")
    path = f"{PLACE}/cancelling"
    fields = fields_of(await admin.get(path))
    nothing = {name: it for name, it in fields.items() if "standard_reasons" not in name}
    refused = await post(admin, path, nothing | {"cancel.reasons": "required"})
    assert refused.status_code == 422
    assert "Offer one reason at least" in refused.text
    long = fields | {"cancel.own_reasons[0].text.en": "x" * 121}
    assert (await post(admin, path, long)).status_code == 422
    many = {f"cancel.own_reasons[{place}].text.en": f"Reason {place}" for place in range(11)}
    assert (await post(admin, path, fields | many)).status_code == 422
    assert await draft_of(town, "cancel") == CancelRules()


async def test_a_switch_is_kept_and_a_page_sent_back_untouched_changes_nothing(
    town: Town, as_staff: AsStaff
) -> None:
    admin = await as_staff("admin")
    path = f"{PLACE}/features"
    fields = fields_of(await admin.get(path))
    assert (await post(admin, path, fields)).status_code == 303
    assert await draft_of(town, "features") == Features()
    fields = fields_of(await admin.get(path))
    del fields["features.invoices"]
    assert (await post(admin, path, fields)).status_code == 303
    assert await draft_of(town, "features") == Features(invoices=False)
