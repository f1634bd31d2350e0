"""People at the hosted pages: where they come from, what they type and press."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import stripe
from playwright.async_api import Page

from tests.stripe_sandbox.program import Account

PASSES = "4000000000003220"
DECLINED = "4000000000000002"
OpenWindow = Callable[..., Awaitable[Page]]


@dataclass
class Merchant:
    """The site that customers come from and go back to."""

    url: str

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The same page for everything."""
        await reader.readuntil(b"\r\n\r\n")
        body = b"<!doctype html><title>Shop</title><h1>Back at the shop</h1>"
        head = f"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {len(body)}\r\n"
        writer.write(head.encode() + b"connection: close\r\n\r\n" + body)
        await writer.drain()
        writer.close()


async def open_session(
    account: Account, merchant: Merchant, customer: str
) -> stripe.checkout.Session:
    return await account.v1.checkout.sessions.create_async(
        {
            "mode": "setup",
            "customer": customer,
            "currency": "usd",
            "success_url": f"{merchant.url}/done?session={{CHECKOUT_SESSION_ID}}",
            "cancel_url": f"{merchant.url}/cancelled",
            "setup_intent_data": {"metadata": {"door": "blue"}},
        }
    )


async def type_card(page: Page, number: str, *, expiry: str = "12 / 34") -> None:
    await page.get_by_label("Card number").fill(number)
    await page.get_by_label("Expiration date").fill(expiry)
    await page.get_by_label("Security code").fill("123")
    await page.get_by_label("Cardholder name").fill("Ada Lovelace")


async def press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name).click()
