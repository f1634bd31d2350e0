"""The plans page: prices are found, offered, ordered, described, hidden and taken off."""

import pytest

from guichet.billing.catalog import list_prices
from guichet.billing.importing import import_tenant
from guichet.console.settings.rows import arrange
from tenants.catalog import Plan
from tests.console.conftest import AsStaff
from tests.console.test_rules_pages import PLACE, draft_of, fields_of
from tests.console.town import Town, post
from tests.shops import Shop

PATH = f"{PLACE}/plans"


async def import_prices(town: Town) -> list[str]:
    """Bring the shop's prices into the mirror; answers the recurring ones by their product."""
    provider = await town.deployment.providers.client(town.lumen.id)
    await import_tenant(town.deployment.db, provider, town.lumen.id)
    async with town.deployment.db.unit(town.lumen.id) as unit:
        return [price.id for price in (await list_prices(unit)).prices]


async def test_without_a_key_the_page_says_where_to_paste_one(
    town: Town, as_staff: AsStaff
) -> None:
    page = (await (await as_staff("admin")).get(PATH)).text
    assert "No key of the payment provider yet" in page
    assert f'href="{PLACE}/connections"' in page


async def test_prices_are_offered_moved_described_and_taken_off(
    town: Town, as_staff: AsStaff, shop: Shop
) -> None:
    first, second, *_ = await import_prices(town)
    admin = await as_staff("admin")
    for price in (first, second):
        fields = fields_of(await admin.get(PATH))
        assert (await post(admin, PATH, fields | {"row": f"add:{price}"})).status_code == 303
    assert await draft_of(town, "plans") == (Plan(first), Plan(second))
    typed = fields_of(await admin.get(PATH)) | {
        "plans[1].description.en": "For two",
        "plans[1].badge.fr": "Nouveau",
        "plans[1].hidden": "on",
        "plans[1].quantity_max": "5",
    }
    moved = await post(admin, PATH, typed | {"row": "up:1"})
    assert moved.status_code == 303, moved.text
    described = Plan(
        second, {"en": "For two"}, quantity_max=5, badge={"fr": "Nouveau"}, hidden=True
    )
    assert await draft_of(town, "plans") == (described, Plan(first))
    again = fields_of(await admin.get(PATH))
    assert (await post(admin, PATH, again)).status_code == 303
    assert await draft_of(town, "plans") == (described, Plan(first))
    assert (await post(admin, PATH, again | {"row": "remove:0"})).status_code == 303
    assert await draft_of(town, "plans") == (Plan(first),)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"plans[0].badge.en": "x" * 25}, "Write 24 characters at most"),
        ({"plans[0].description.fr": "x" * 601}, "Write 600 characters at most"),
        ({"plans[0].quantity_min": "0"}, "The least quantity is 1 at least"),
        ({"plans[0].quantity_max": "many"}, "Write a whole number."),
        ({"plans[1].price_id": "price_of_volta"}, "is there already"),
        ({f"plans[{n}].price_id": f"price_{n}" for n in range(201)}, "There may be 200 at most"),
    ],
)
async def test_what_cannot_be_offered_is_refused_with_a_reason(
    town: Town, as_staff: AsStaff, typed: dict[str, str], told: str
) -> None:
    admin = await as_staff("admin")
    fields = fields_of(await admin.get(PATH)) | {"plans[0].price_id": "price_of_volta"} | typed
    refused = await post(admin, PATH, fields)
    assert refused.status_code == 422, refused.text
    assert told in refused.text
    assert await draft_of(town, "plans") == ()


async def test_prices_are_searched_and_paged_and_another_merchants_are_not_there(
    town: Town, as_staff: AsStaff, shop: Shop
) -> None:
    known = await import_prices(town)
    async with town.deployment.db.unit(town.lumen.id) as unit:
        pages, after = [], ""
        while True:
            page = await list_prices(unit, after=after, limit=1)
            pages += [price.id for price in page.prices]
            if page.more_after is None:
                break
            after = page.more_after
        (found,) = (await list_prices(unit, search=known[0])).prices
        assert not (await list_prices(unit, search="%")).prices
    assert pages == known
    assert found.id == known[0]
    async with town.deployment.db.unit(town.volta.id) as unit:
        assert not (await list_prices(unit)).prices
    admin = await as_staff("admin")
    assert "No price fits" in (await admin.get(f"{PATH}?q=nothing-like-it")).text
    assert (await admin.get(f"{PATH}?q=%00&after=%00")).status_code == 200


async def test_an_import_is_asked_for_and_written_in_the_log(
    town: Town, as_staff: AsStaff, shop: Shop
) -> None:
    admin = await as_staff("admin")
    asked = await post(admin, f"{PATH}/import")
    assert asked.status_code == 303
    assert "is being read" in (await admin.get(asked.headers["location"])).text
    async with town.deployment.db.unit(town.lumen.id) as unit:
        told = await unit.fetchval(
            "select count(*) from audit_log where tenant_id = $1 and action = $2",
            unit.tenant_id,
            "provider.import_asked",
        )
    assert told == 1


@pytest.mark.parametrize(
    ("pressed", "expected"),
    [
        ("up:0", "abc"),
        ("up:2", "acb"),
        ("down:0", "bac"),
        ("down:2", "abc"),
        ("remove:1", "ac"),
        ("add:d", "abcd"),
        ("up:9", "abc"),
        ("remove:-1", "abc"),
        ("", "abc"),
    ],
)
def test_a_button_moves_a_row_with_all_that_was_typed(pressed: str, expected: str) -> None:
    form = {"seen": "x", "row": pressed}
    for place, name in ((4, "a"), (10, "b"), (11, "c")):
        form |= {f"rows[{place}].name": name, f"rows[{place}].text.en": name.upper()}
    arranged = arrange(form, "rows", "name")
    names = [arranged.get(f"rows[{place}].name") for place in range(len(expected))]
    assert "".join(name or "" for name in names) == expected
    for place, name in enumerate(expected):
        if name != "d":
            assert arranged[f"rows[{place}].text.en"] == name.upper()
    assert arranged["seen"] == "x"
    assert "row" not in arranged
