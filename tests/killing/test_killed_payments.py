"""`kill -9` of the web process while a customer pays: one charge, and the worker finds out."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from guichet.settings import Settings
from tests.killing.rig import Rig, reachable
from tests.portal.debts import charges_of, let_time_pass, owe_more, payments_of
from tests.portal.shop import Customer, Shop, form_of
from tests.portal.test_paying import PAID

pytestmark = pytest.mark.slow

#: What each question to the provider takes; a payment asks twice.
_SLOW_MS = 1500
_SETTLED_SECONDS = 30
_END = {"succeeded", "not_made"}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rig, Settings]]:
    rig = Rig(reachable(tmp_path_factory.mktemp("rig")))
    with rig.running() as settings:
        yield rig, settings


async def send(browser: Customer, page: str, form: dict[str, str]) -> None:
    """Send the form, and be cut off."""
    with pytest.raises(httpx.TransportError):
        await browser.post(page, form)


async def states(shop: Shop, customer: Customer) -> set[str]:
    return {state for state, _ in await payments_of(shop, customer)}


async def until(shop: Shop, customer: Customer, *wanted: str) -> str:
    """Wait until the customer's payment is in one of these states."""
    async with asyncio.timeout(_SETTLED_SECONDS):
        while not (found := await states(shop, customer)) & set(wanted):
            await asyncio.sleep(0.1)
    return found.pop()


@pytest.mark.parametrize("after_ms", [200, 2200, 2900])
async def test_a_payment_whose_process_is_killed_is_settled_by_the_worker(
    rig: tuple[Rig, Settings], after_ms: int
) -> None:
    platform, settings = rig
    async with (
        platform.shop(settings, f"paid-{after_ms}") as shop,
        platform.signed_in(shop, "ada") as ada,
    ):
        invoice_id = await owe_more(shop, "ada")
        page = f"/invoices/{invoice_id}/pay"
        text = (await ada.get(page)).text
        method = text.split('name="method" value="')[1].split('"')[0]
        form = form_of(text, page) | {"method": method}
        before = (await charges_of(shop, "ada")).count("succeeded")
        await platform.set_latency(shop, _SLOW_MS)
        sending = asyncio.create_task(send(ada, page, form))
        await until(shop, ada, "started")
        await asyncio.sleep(after_ms / 1000)
        await asyncio.to_thread(platform.kill, "web")
        await sending
        await platform.set_latency(shop, 0)
        # Nobody comes back to the page, and no event is delivered: the worker is alone.
        await let_time_pass(shop, timedelta(minutes=1))
        state = await until(shop, ada, *_END)
        charged = (await charges_of(shop, "ada")).count("succeeded") - before
        assert (state, charged) in {("succeeded", 1), ("not_made", 0)}
        await asyncio.to_thread(platform.restart, "web")
        # The form is still there, and so is the debt where nothing was charged.
        again = await ada.post(page, form | {"token": "5a0c5c9e-3c1d-4d0f-8a55-8d3a7d9e3c11"})
        assert PAID in (await ada.get(again.headers["location"])).text
        assert (await charges_of(shop, "ada")).count("succeeded") == before + 1
