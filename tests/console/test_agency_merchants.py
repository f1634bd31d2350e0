"""An agency opens portals, like others of its own or anew, and closes them."""

import asyncio

import httpx
import pytest
from msgspec.structs import replace

from tenants.assets import load_asset, store_asset
from tenants.branding import Branding, Link
from tenants.catalog import Plan
from tenants.configuration import Configuration, load_published, publish
from tenants.identity_providers import IdentityProvider
from tests.console.agency_pages import agency_log, merchant_ids, opening_form, rows_of, tenant_log
from tests.console.conftest import AsStaff
from tests.console.town import Town, post

_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h8v8z"/></svg>'


async def test_suspending_closes_the_portal_and_is_noted_in_both_logs(
    town: Town, owner: httpx.AsyncClient
) -> None:
    path = "/agencies/atelier/merchants/lumen"
    assert "Suspend Lumen" in (await owner.get(path)).text
    refused = await post(owner, f"{path}/suspend", {"reason": " "})
    assert refused.status_code == 422
    assert "Please say why" in refused.text
    answer = await post(owner, f"{path}/suspend", {"reason": "Unpaid"})
    assert answer.status_code == 303
    page = await owner.get(answer.headers["location"])
    assert "Suspended" in page.text
    assert "Resume" in page.text
    # Once more changes nothing, and notes nothing.
    await post(owner, f"{path}/suspend", {"reason": "Unpaid"})
    await post(owner, f"{path}/resume", {"reason": "Paid"})
    actions = ["tenant.suspended", "tenant.resumed"]
    assert [it[1:] for it in await agency_log(town)] == [(it, "lumen") for it in actions]
    assert await tenant_log(town, town.lumen.id) == [
        ("tenant.suspended", '{"reason": "Unpaid"}'),
        ("tenant.resumed", '{"reason": "Paid"}'),
    ]


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Café Noir", "cafe-noir"),
        ("Lumen", "lumen-2"),
        ("Admin", "admin-shop"),
        ("日本", "merchant"),
        ("x" * 100, "x" * 40),
        ("L'Atelier  &  Fils", "latelier-fils"),
    ],
)
async def test_an_address_is_suggested_that_nobody_has(
    owner: httpx.AsyncClient, name: str, slug: str
) -> None:
    assert (await opening_form(owner, name))["slug"] == slug


async def test_a_new_merchant_has_a_portal_at_its_own_address(
    town: Town, owner: httpx.AsyncClient
) -> None:
    answer = await post(owner, "/agencies/atelier/new", await opening_form(owner))
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == "/merchants/cafe-noir"
    async with town.browser(origin="http://cafe-noir.localhost:8000") as customer:
        page = await customer.get("/sign-in")
        assert page.status_code == 200
        assert '<html lang="fr"' in page.text
    (made,) = set(await merchant_ids(town)) - {town.lumen.id}
    assert [it[0] for it in await tenant_log(town, made)] == [
        "tenant.added",
        "configuration.published",
    ]
    assert ("tenant.added", "cafe-noir") in [it[1:] for it in await agency_log(town)]


async def test_a_double_click_makes_one_merchant(town: Town, owner: httpx.AsyncClient) -> None:
    form = await opening_form(owner, email="boss@example.com")
    answers = await asyncio.gather(*(post(owner, "/agencies/atelier/new", form) for _ in range(3)))
    assert [it.status_code for it in answers] == [303, 303, 303]
    assert len(await merchant_ids(town)) == 2
    (made,) = set(await merchant_ids(town)) - {town.lumen.id}
    actions = [it[0] for it in await tenant_log(town, made)]
    assert actions.count("tenant.added") == actions.count("configuration.published") == 1


async def test_what_was_cut_off_goes_on_when_the_form_is_sent_again(
    town: Town, owner: httpx.AsyncClient
) -> None:
    form = await opening_form(owner)
    await post(owner, "/agencies/atelier/new", form)
    (made,) = set(await merchant_ids(town)) - {town.lumen.id}
    # As a process leaves it that is killed before the second transaction.
    async with town.deployment.db.unit(made) as unit:
        await unit.execute("update tenants set published_version = null where id = $1", made)
    assert (await post(owner, "/agencies/atelier/new", form)).status_code == 303
    async with town.deployment.db.unit(made) as unit:
        assert (await load_published(unit.connection, made)).configuration.locale == "fr"


async def test_the_owner_of_a_new_merchant_is_invited_once(
    town: Town, owner: httpx.AsyncClient
) -> None:
    form = await opening_form(owner, email=" Boss@Example.com ")
    for _ in range(2):
        assert (await post(owner, "/agencies/atelier/new", form)).status_code == 303
    rows = await rows_of(town, "select email, role from tenant_invitations")
    assert [tuple(row) for row in rows] == [("boss@example.com", "owner")]
    mails = await rows_of(town, "select recipient from staff_messages")
    assert [row["recipient"] for row in mails] == ["boss@example.com"]


async def test_an_agencys_member_invites_an_admin_and_no_owner(
    town: Town, as_staff: AsStaff
) -> None:
    member = await as_staff("agency_member")
    await post(
        member, "/agencies/atelier/new", await opening_form(member, email="boss@example.com")
    )
    rows = await rows_of(town, "select role from tenant_invitations")
    assert [row["role"] for row in rows] == ["admin"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"slug": "-x"}, "small letters"),
        ({"slug": "../etc"}, "small letters"),
        ({"slug": "xn--caf-dma"}, "small letters"),
        ({"slug": "console"}, "belongs to Guichet"),
        ({"slug": "lumen"}, "has this address already"),
        ({"slug": "volta"}, "has this address already"),
        ({"name": ""}, "has a name"),
        ({"name": "x" * 201}, "at most 200"),
        ({"email": "nobody"}, "no address of mail"),
        ({"like": "volta"}, "You host no merchant"),
        ({"like": "nobody"}, "You host no merchant"),
    ],
)
async def test_a_form_with_a_mistake_comes_back_with_what_was_typed(
    town: Town, owner: httpx.AsyncClient, given: dict[str, str], words: str
) -> None:
    form = await opening_form(owner) | given
    answer = await post(owner, "/agencies/atelier/new", form)
    assert answer.status_code == 422
    assert words in answer.text
    (field,) = given
    assert f'value="{given[field]}"' in answer.text
    assert await merchant_ids(town) == [town.lumen.id]


async def test_a_token_of_another_agency_names_no_merchant_here(
    town: Town, owner: httpx.AsyncClient, as_staff: AsStaff
) -> None:
    form = await opening_form(owner)
    await post(owner, "/agencies/atelier/new", form)
    stranger = await as_staff("owner_of_forge")
    answer = await post(stranger, "/agencies/forge/new", form)
    assert answer.status_code == 422
    answer = await post(stranger, "/agencies/forge/new", form | {"slug": "other"})
    assert answer.status_code == 303
    assert len(await merchant_ids(town)) == 2


async def test_a_merchant_may_begin_like_another_without_what_is_that_ones_own(
    town: Town, owner: httpx.AsyncClient
) -> None:
    lumen = town.lumen.id
    async with town.deployment.db.unit(lumen) as unit:
        logo = await store_asset(unit.connection, lumen, _SVG, "image/svg+xml")
        model = Configuration(
            locale="en",
            branding=Branding(
                logo=logo, radius=3, links=(Link("Terms", "https://lumen.example/terms"),)
            ),
            plans=(Plan("price_of_lumen"),),
            identity_providers=(IdentityProvider("work", "Lumen", "https://id.example", "x"),),
            support_email="help@lumen.example",
        )
        await publish(unit.connection, lumen, model, "a test")
    answer = await post(owner, "/agencies/atelier/new", await opening_form(owner, like="lumen"))
    assert answer.status_code == 303, answer.text
    (made,) = set(await merchant_ids(town)) - {lumen}
    async with town.deployment.db.unit(made) as unit:
        begun = (await load_published(unit.connection, made)).configuration
        assert await load_asset(unit.connection, made, logo) is not None
    assert begun == replace(Configuration(), locale="fr", branding=Branding(logo=logo, radius=3))


async def test_markup_in_a_name_is_shown_as_it_was_typed(owner: httpx.AsyncClient) -> None:
    form = await opening_form(owner, name='<script>"x"</script>', slug="odd")
    assert (await post(owner, "/agencies/atelier/new", form)).status_code == 303
    page = await owner.get("/agencies/atelier")
    assert "<script>&#34;" not in page.text
    assert "&lt;script&gt;&#34;x&#34;&lt;/script&gt;" in page.text
