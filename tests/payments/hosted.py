"""A customer at the provider's own pages, whose browser stops before it leaves them."""

from urllib.parse import urljoin

import httpx

from tests.loopback import NO_AUTHORITIES

#: Stripe's test cards by number. Source: https://docs.stripe.com/testing.
VISA = "4242424242424242"
ASKS_THE_BANK = "4000000000003220"
DECLINED = "4000000000000002"


async def submit(url: str, **fields: str) -> str:
    """Send a page's form; answers where the browser goes next, or the page's own address."""
    async with httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITIES) as browser:
        assert (await browser.get(url)).status_code == 200
        answer = await browser.post(url, data=fields)
        return urljoin(url, str(answer.headers.get("location", url)))


async def type_card(url: str, number: str = VISA) -> str:
    """Fill in the card at Checkout."""
    return await submit(url, number=number, expiry="12 / 40", cvc="123", name="Ada Lovelace")


async def confirm_at_the_bank(url: str, *, passes: bool = True) -> str:
    """Answer the bank's question at its page."""
    return await submit(url, outcome="complete" if passes else "fail")
