"""Preferences are kept for the customer, and a mail's link ends its kind with one button."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from guichet.auth.mail_links import make_link_token
from guichet.messages.kinds import OPTIONAL, Kind
from guichet.messages.preferences import read_preferences
from guichet.messages.queueing import queue_message
from tests.portal.shop import Customer, Shop, form_of

_PAGE = "/preferences"


async def wanted(shop: Shop, who: str) -> set[str]:
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        kinds = await read_preferences(unit, await shop.customer_id(who))
    return {kind for kind, is_wanted in kinds.items() if is_wanted}


async def link_of(shop: Shop, kind: Kind, who: str = "ada") -> str:
    """The address in a mail that ends its kind."""
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        customer_id = await shop.customer_id(who)
        now = datetime.now(UTC)
        message_id = await queue_message(unit, kind, customer_id, f"{kind}:1", {}, now)
    assert message_id is not None
    keys = shop.deployment.settings.master_keys
    return f"/unsubscribe/{make_link_token(keys, shop.tenant_id, UUID(message_id), 'unsubscribe')}"


async def sources_of(shop: Shop) -> dict[str, str]:
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        rows = await unit.fetch(
            """
            select kind, source
            from mail_preferences
            where tenant_id = $1
            and not wanted
            """,
            shop.tenant_id,
        )
    return {row["kind"]: row["source"] for row in rows}


async def audited(shop: Shop) -> int:
    """How many changes are kept account of."""
    async with shop.deployment.db.unit(shop.tenant_id) as unit:
        count: int = await unit.fetchval(
            """
            select count(1)
            from audit_log
            where tenant_id = $1
            and action = 'mail_preference.changed'
            """,
            shop.tenant_id,
        )
    return count


async def save(customer: Customer, **changes: str) -> str:
    """Send the page's form with only these fields besides the language."""
    form = form_of((await customer.get(_PAGE)).text, _PAGE)
    return (await customer.follow(_PAGE, form | {"locale": "en"} | changes)).text


async def test_what_is_not_ticked_is_not_sent(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        assert "checked" in (await ada.get(_PAGE)).text
        page = await save(ada, **{"mail-receipt": "1", "mail-payment_failed": "1"})
        assert "Your preferences are saved." in page
        assert await wanted(shop, "ada") == {"receipt"}
        assert set((await sources_of(shop)).values()) == {"portal"}
        assert await wanted(shop, "grace") > {"receipt"}
        await save(ada, **{"mail-receipt": "1", "mail-recovered": "1"})
        assert await wanted(shop, "ada") == {"receipt", "recovered"}


async def test_what_is_changed_again_and_again_is_refused(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        form = form_of((await ada.get(_PAGE)).text, _PAGE) | {"locale": "en"}
        everything = {f"mail-{kind}": "1" for kind in OPTIONAL}
        for _ in range(6):
            assert (await ada.post(_PAGE, form)).status_code == 303
            assert (await ada.post(_PAGE, form | everything)).status_code == 303
        assert await audited(shop) == 60
        refused = await ada.post(_PAGE, form)
        assert refused.status_code == 429
        assert "changed too often" in refused.text
        assert await wanted(shop, "ada") == set(OPTIONAL)
        for _ in range(3):
            assert (await ada.post(_PAGE, form | everything)).status_code == 303
        assert await audited(shop) == 60
    async with shop.signed_in("grace") as grace:
        assert "Your preferences are saved." in await save(grace)


async def test_a_language_is_kept_for_pages_and_mails(shop: Shop) -> None:
    async with shop.signed_in("ada") as ada:
        assert '<html lang="fr"' in await save(ada, locale="fr")
    async with shop.signed_in("ada") as elsewhere:
        assert '<html lang="fr"' in (await elsewhere.get("/")).text
        form = form_of((await elsewhere.get(_PAGE)).text, _PAGE)
        assert (await elsewhere.post(_PAGE, form | {"locale": "xx"})).status_code == 422
        assert (await elsewhere.post(_PAGE, {"locale": "en"})).status_code == 403
    assert await wanted(shop, "ada") == set()


async def test_looking_at_a_link_ends_nothing_and_its_button_does(shop: Shop) -> None:
    link = await link_of(shop, "receipt")
    async with shop.visitor() as reader:
        page = await reader.get(link)
        assert "Unsubscribe" in page.text
        assert "receipt" in await wanted(shop, "ada")
        done = await reader.post(link, {})
        assert "You get no more of these mails" in done.text
        assert "receipt" not in await wanted(shop, "ada")
        assert await sources_of(shop) == {"receipt": "link"}
        assert (await reader.post(link, {})).status_code == 200


async def test_a_mail_programs_own_button_needs_neither_cookie_nor_origin(shop: Shop) -> None:
    link = await link_of(shop, "renewal_coming")
    async with shop.visitor() as program:
        sent = await program.client.post(link, data={"List-Unsubscribe": "One-Click"})
        assert sent.status_code == 200
    assert await sources_of(shop) == {"renewal_coming": "one_click"}


@pytest.mark.parametrize("kind", ["payment_failed", "plan_changed"])
async def test_what_everybody_gets_cannot_be_ended(shop: Shop, kind: Kind) -> None:
    link = await link_of(shop, kind)
    async with shop.visitor() as reader:
        assert (await reader.get(link)).status_code == 404
        assert (await reader.post(link, {})).status_code == 404
    assert await sources_of(shop) == {}


async def test_a_forged_link_ends_nothing(shop: Shop) -> None:
    link = await link_of(shop, "receipt")
    async with shop.visitor() as reader:
        for forged in (f"{link[:-1]}!", f"/unsubscribe/{'A' * 64}", link.replace("unsub", "xx")):
            assert (await reader.get(forged)).status_code == 404
            assert (await reader.post(forged, {})).status_code in (404, 405)
    assert await sources_of(shop) == {}
