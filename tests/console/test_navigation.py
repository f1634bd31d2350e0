"""Every page that the rail names is there, for every role that it is named to."""

import re

import pytest

from guichet.console.shell import navigation
from tenants.configuration import Configuration
from tenants.drafts import replace_draft
from tenants.staff import Role, Workspace
from tests.console.conftest import AsStaff
from tests.console.town import Town

_ROLES: tuple[Role, ...] = ("agency_owner", "agency_member", "owner", "admin", "support", "analyst")


@pytest.mark.parametrize("role", _ROLES)
async def test_every_link_of_the_rail_leads_to_a_page(
    town: Town, as_staff: AsStaff, role: Role
) -> None:
    client = await as_staff(role)
    places = [Workspace("merchant", town.lumen.id, "lumen", "Lumen", role)]
    if role.startswith("agency"):
        places.append(Workspace("agency", town.atelier.id, "atelier", "Atelier", role))
    links = [link for place in places for group in navigation(place, "/") for link in group.links]
    assert links
    answers = {link.url: (await client.get(link.url)).status_code for link in links}
    assert set(answers.values()) == {200}, answers


@pytest.mark.parametrize("page", ["", "/customers", "/members", "/audit", "/branding", "/history"])
async def test_every_page_says_that_there_are_unpublished_changes(
    town: Town, as_staff: AsStaff, page: str
) -> None:
    owner, support = await as_staff("owner"), await as_staff("support")
    mark = re.compile(r"<a[^>]* data-unpublished[^>]*>")
    before = mark.findall((await owner.get(f"/merchants/lumen{page}")).text)
    assert before
    assert all(" hidden" in it for it in before)
    async with town.deployment.db.unit(town.lumen.id) as unit:
        draft = Configuration(support_email="help@lumen.example")
        await replace_draft(unit.connection, unit.tenant_id, draft, "a test")
    after = mark.findall((await owner.get(f"/merchants/lumen{page}")).text)
    assert not any(" hidden" in it for it in after)
    assert all(" hidden" in it for it in mark.findall((await support.get("/merchants/lumen")).text))
