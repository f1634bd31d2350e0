"""A card that was refused for good: its holder is told, and may try it all the same."""

import pytest

from tests.portal.debts import charges_of, chosen, hold_card, offered
from tests.portal.shop import Shop
from tests.portal.test_paying import PAID, desk_for

_REFUSED = {"en": "It was refused for good", "fr": "Elle a été refusée définitivement"}


async def ban(shop: Shop, method_id: str, **codes: str) -> None:
    """As if the card had been refused with these codes, for an invoice of long ago."""
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        await unit.execute(
            """
            insert into payment_attempts (
              tenant_id, id, customer_id, payment_method_id, status, currency, amount,
              amount_refunded, decline_code, network_decline_code, network, fingerprint,
              created_at, copy_no
            )
            select
              $1, 'ch_' || method.id, method.customer_id, 'pm_old', 'failed', 'usd', 100, 0, $3, $4,
              method.brand, method.fingerprint, now() - interval '2 years', 1
            from payment_methods as method
            where method.tenant_id = $1
            and method.id = $2
            """,
            shop.tenant_id,
            method_id,
            codes.get("decline_code"),
            codes.get("network_decline_code"),
        )


@pytest.mark.parametrize(
    "codes", [{"decline_code": "stolen_card"}, {"network_decline_code": "R1"}], ids=str
)
@pytest.mark.parametrize("language", ["en", "fr"])
async def test_a_card_that_its_network_forbids_is_not_chosen_and_may_be(
    shop: Shop, codes: dict[str, str], language: str
) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        headers = {"accept-language": language}
        page = (await grace.client.get(desk.page, headers=headers)).text
        first = chosen(page)
        assert first is not None
        assert _REFUSED[language] not in page
        await ban(shop, first, **codes)
        page = (await grace.client.get(desk.page, headers=headers)).text
        assert page.count(_REFUSED[language]) == 1
        assert first in offered(page)
        assert chosen(page) not in (None, first)
        # Why it was refused is not told: thieves look at this page too.
        assert "stolen" not in page
        # The bans are for merchants: what its holder asks for is done.
        good = await hold_card(shop, "grace", "pm_card_visa")
        await ban(shop, good, **codes)
        page = (await grace.client.get(desk.page, headers=headers)).text
        assert page.count(_REFUSED[language]) == 2
        assert PAID in await desk.pay(good)


async def test_a_card_that_this_invoice_was_refused_for_good_is_told_too(shop: Shop) -> None:
    async with shop.signed_in("grace") as grace:
        desk = await desk_for(shop, grace)
        lost = await hold_card(shop, "grace", "pm_card_visa")
        await shop.control({"declines": {lost: "fraudulent"}})
        text = await desk.pay(lost)
        assert (await charges_of(shop))[0] == "failed"
        assert text.count(_REFUSED["en"]) == 1
        assert chosen(text) != lost
