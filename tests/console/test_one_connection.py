"""Pages with one connection to the database: whoever holds it must not wait for a second one."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from guichet.settings import Settings
from tests.console.conftest import AsStaff
from tests.console.debtors import owe
from tests.console.town import Town, open_town
from tests.shops import Shop


@pytest.fixture
async def town(settings: Settings) -> AsyncIterator[Town]:
    async with open_town(msgspec.structs.replace(settings, database_connections=1)) as town:
        yield town


async def test_a_story_under_a_policy_that_nobody_has_read_yet_needs_one_connection(
    town: Town, shop: Shop, as_staff: AsStaff
) -> None:
    debt = await owe(town, shop)
    client = await as_staff("support")
    await debt.publish(window_days=11)
    page = await client.get(debt.story)
    assert page.status_code == 200
    assert f'href="{debt.payment}/retry"' in page.text
