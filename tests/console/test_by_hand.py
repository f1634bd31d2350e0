"""A failed payment in the team's hands: who may, what is asked first, and that it happens once."""

import asyncio
import re
from urllib.parse import urlsplit

import httpx
import pytest

from guichet.billing.dunning.steps.beginning import begin
from tenants.retries import Ending
from tests.console.conftest import AsStaff
from tests.console.debtors import Debt, learn, owe
from tests.console.town import Town, post
from tests.mirrors import held
from tests.shops import Shop


@pytest.fixture
async def debt(town: Town, shop: Shop) -> Debt:
    return await owe(town, shop)


async def asked(client: httpx.AsyncClient, path: str, **typed: str) -> httpx.Response:
    """Open the page that asks, and send its form."""
    page = await client.get(path)
    assert page.status_code == 200, page.headers
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    fields.pop("csrf")
    return await post(client, path, fields | typed)


async def acts(debt: Debt) -> list[tuple[str, str, str]]:
    rows = await debt.rows(
        """
        select actor, action, details::text as details
        from audit_log
        where action like 'dunning_case.%_asked'
        order by id
        """
    )
    return [(row["actor"], row["action"], row["details"]) for row in rows]


async def test_support_has_a_payment_tried_and_finds_why_in_the_story(
    debt: Debt, as_staff: AsStaff
) -> None:
    client = await as_staff("support")
    page = (await client.get(debt.story)).text
    assert f'href="{debt.payment}/retry"' in page
    assert f'href="{debt.payment}/stop"' not in page
    answer = await asked(client, f"{debt.payment}/retry", reason="On the phone")
    assert answer.status_code == 303
    assert urlsplit(answer.headers["location"]).path == debt.story
    # Nothing is charged by the page: the wish stands on the row.
    assert await debt.attempts() == []
    waiting = (await client.get(debt.story)).text
    assert "has just asked for a try" in waiting
    assert f"{debt.payment}/retry" not in waiting
    await debt.work()
    [attempt] = await debt.attempts()
    assert attempt["state"] == "declined"
    page = (await client.get(debt.story)).text
    assert "A member of your team asked for it." in page
    client.headers["accept-language"] = "fr"
    assert "Un membre de votre équipe l’a demandé." in (await client.get(debt.story)).text
    [(actor, action, details)] = await acts(debt)
    assert (actor, action) == ("support@example.com", "dunning_case.retry_asked")
    assert '"reason": "On the phone"' in details
    assert '"state": "waiting"' in details
    assert '"after": {"asked_for": "retry"}' in details
    log = (await (await as_staff("owner")).get("/merchants/lumen/audit")).text
    assert "Asked for a payment to be tried now" in log
    assert re.search(r"asked_for.*<ins>.*retry</ins>", log)
    assert '"attempt": 1' in details


async def test_a_double_click_two_people_and_a_worker_make_one_try(
    debt: Debt, as_staff: AsStaff
) -> None:
    first, second = await as_staff("support"), await as_staff("admin")
    for client in (first, second):
        await client.get(f"{debt.payment}/retry")
    sent = {"try": "1", "reason": ""}

    async def work() -> None:
        for _ in range(10):
            await debt.work()

    clicks = (post(it, f"{debt.payment}/retry", sent) for it in (first, first, second, second))
    working = asyncio.create_task(work())
    answers = await asyncio.gather(*clicks)
    await working
    await debt.work()
    assert {it.status_code for it in answers} == {303}
    assert [row["number"] for row in await debt.attempts()] == [1]
    assert len(await acts(debt)) == 1
    # A page from before the try does not ask for another one, and says so.
    late = await post(first, f"{debt.payment}/retry", sent)
    assert "outrun=1" in late.headers["location"]
    shown = await first.get(late.headers["location"].split("#")[0])
    assert "Another try was made" in shown.text
    await debt.work()
    assert len(await debt.attempts()) == 1


async def test_what_cannot_be_tried_says_why_and_is_not(debt: Debt, as_staff: AsStaff) -> None:
    client = await as_staff("admin")
    await debt.publish(paused=True)
    page = (await client.get(debt.story)).text
    assert "You have paused all retries." in page
    assert f"{debt.payment}/retry" not in page
    assert (await client.get(f"{debt.payment}/retry")).status_code == 303
    answer = await post(client, f"{debt.payment}/retry", {"try": "1"})
    assert answer.status_code == 303
    assert (await debt.case())["asked_for"] is None
    assert await acts(debt) == []
    await debt.publish(collector="provider")
    page = (await client.get(debt.story)).text
    assert "Your payment provider tries again by its own rules." in page
    assert f"{debt.payment}/stop" not in page


async def test_a_stop_says_why_and_ends_the_case_without_a_mail(
    debt: Debt, as_staff: AsStaff
) -> None:
    client = await as_staff("admin")
    refused = await asked(client, f"{debt.payment}/stop", reason=" ")
    assert refused.status_code == 422
    assert "Please say why" in refused.text
    long = await asked(client, f"{debt.payment}/stop", reason="x" * 501, end="on")
    assert long.status_code == 422
    assert "x" * 501 in long.text
    assert "checked" in long.text
    mails = await debt.rows("select kind from messages")
    for _ in range(2):
        answer = await post(client, f"{debt.payment}/stop", {"reason": "They pay by transfer"})
        assert answer.status_code == 303
    await debt.work()
    case = await debt.case()
    assert (case["state"], case["asked_for"]) == ("given_up", "stop")
    assert await debt.rows("select kind from messages") == mails
    [(actor, action, details)] = await acts(debt)
    assert (actor, action) == ("admin@example.com", "dunning_case.stop_asked")
    assert '"reason": "They pay by transfer"' in details
    page = (await client.get(debt.story)).text
    assert "A member of your team stopped the retries." in page
    assert "/payments/" not in page
    # Who pays after all is told so, and the case says who brought it to its end.
    await debt.shop.set(declines={})
    await debt.shop.port.charge_invoice(debt.invoice, "customer", debt.card)
    await learn(debt.town, debt.shop)
    await debt.work()
    assert (await debt.case())["state"] == "paid_elsewhere"


async def test_a_stop_with_the_policy_s_end_ends_the_invoice_too(
    debt: Debt, as_staff: AsStaff
) -> None:
    await debt.publish(end=Ending(invoice="void"))
    client = await as_staff("owner")
    page = await client.get(f"{debt.payment}/stop")
    assert "the invoice is void" in page.text
    await asked(client, f"{debt.payment}/stop", reason="Fraud", end="on")
    await debt.work()
    assert (await debt.case())["state"] == "given_up"
    [invoice] = await debt.rows("select status from invoices")
    assert invoice["status"] == "void"


async def test_while_it_is_charged_a_try_is_refused_and_a_stop_waits(
    debt: Debt, as_staff: AsStaff, shop: Shop
) -> None:
    client = await as_staff("owner")
    await asked(client, f"{debt.payment}/retry")
    directory, lumen = debt.town.deployment.directory, debt.town.lumen.id
    entry = directory.by_id(lumen)
    assert entry is not None
    async with debt.town.deployment.db.unit(lumen) as unit:
        # A worker that is killed after its first transaction.
        await begin(unit, await directory.published(entry))
    assert f"{debt.payment}/retry" not in (await client.get(debt.story)).text
    await post(client, f"{debt.payment}/retry", {"try": "2"})
    await asked(client, f"{debt.payment}/stop", reason="Enough")
    charged = len(await held(shop.port))
    for state in ("unknown", "given_up"):
        await debt.rows(
            "update dunning_cases set wake_at = '-infinity' where wake_at is not null returning 1"
        )
        await debt.work()
        assert (await debt.case())["state"] == state
        await debt.rows("update dunning_attempts set sent_at = sent_at - interval '1 hour'")
    # What that worker had not sent yet is not sent any more.
    assert [it["state"] for it in await debt.attempts()] == ["not_made"]
    assert len(await held(shop.port)) == charged


async def test_nobody_reaches_another_s_case(debt: Debt, as_staff: AsStaff, shop: Shop) -> None:
    client = await as_staff("owner")
    other = await shop.add_customer("bob@example.com")
    await learn(debt.town, shop)
    stranger = await as_staff("owner_of_volta")
    for act in ("retry", "stop"):
        elsewhere = f"/merchants/lumen/customers/{other}/payments/{debt.invoice}/{act}"
        of_volta = f"/merchants/volta/customers/{debt.customer}/payments/{debt.invoice}/{act}"
        for who, path in (
            (client, elsewhere),
            (stranger, of_volta),
            (stranger, f"{debt.payment}/{act}"),
        ):
            assert (await who.get(path)).status_code == 404
            sent = {"try": "1", "reason": "Mine"}
            assert (await post(who, path, sent)).status_code == 404
    support = await as_staff("support")
    assert (await post(support, f"{debt.payment}/stop", {"reason": "x"})).status_code == 403
    assert (await debt.case())["asked_for"] is None
