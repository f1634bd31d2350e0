"""Every page that the rail names is there, for every role that it is named to."""

import pytest

from guichet.console.shell import navigation
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
