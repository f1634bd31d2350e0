"""A light load on a deployment: deliveries, page reads, and one plan change after another.

Whoever gets no good answer does what people and providers do: they try the same again. What was
acknowledged is remembered, to be looked for in the end.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import msgspec

from tests.deliveries import event, signature
from tests.portal.shop import Customer, Shop, hidden_fields

_PAUSE_SECONDS = 0.05
#: Nobody waits longer for an answer.
PATIENCE_SECONDS = 30.0


class Failed(Exception):
    """The deployment answered, and not what was wanted."""


class Try(msgspec.Struct, frozen=True):
    """One thing that was asked for: what, when its answer came, and what was wrong with it."""

    kind: str
    ended_at: float
    error: str


class Load:
    """What was tried at one merchant's portal, and what was acknowledged."""

    def __init__(self, shop: Shop, customer: Customer, secret: str) -> None:
        self.shop = shop
        self.customer = customer
        self.tries: list[Try] = []
        #: The ids of events that were answered with 2xx.
        self.acknowledged: set[str] = set()
        #: The outcome pages of changes that were confirmed, each once.
        self.changes: list[str] = []
        self._secret = secret
        self._ending = asyncio.Event()

    def errors_since(self, moment: float) -> list[Try]:
        return [each for each in self.tries if each.error and each.ended_at > moment]

    def succeeded_since(self, moment: float) -> set[str]:
        """The kinds of things that went well after a moment."""
        return {each.kind for each in self.tries if not each.error and each.ended_at > moment}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep trying; in the end, what was begun is brought to its end."""
        async with asyncio.TaskGroup() as group:
            for work in (self._deliver, self._read, self._change):
                group.create_task(work())
            try:
                yield
            finally:
                self._ending.set()

    async def _until_good(self, kind: str, attempt: Callable[[], Awaitable[None]]) -> None:
        """Try until it goes well, with a pause after each failure."""
        give_up_at = time.monotonic() + 4 * PATIENCE_SECONDS
        while True:
            error = ""
            try:
                await attempt()
            except (httpx.TransportError, Failed) as failure:
                error = str(failure) or type(failure).__name__
            self.tries.append(Try(kind, time.monotonic(), error))
            if not error:
                return
            if time.monotonic() > give_up_at:
                raise TimeoutError(f"{kind} never went well: {error}")
            await asyncio.sleep(_PAUSE_SECONDS)

    async def send(self, number: int) -> int:
        """Deliver an event that says that the customer changed; answers the status."""
        subject = {"id": self.customer.customer_id, "object": "customer"}
        body = msgspec.json.encode(event(number, "customer.updated", **subject))
        answer = await self.customer.client.post(
            "/webhooks/stripe",
            content=body,
            headers={"stripe-signature": signature(body, self._secret)},
        )
        return answer.status_code

    async def _deliver(self) -> None:
        for number in itertools.count(1):

            async def deliver(number: int = number) -> None:
                _expect(await self.send(number), 200)

            await self._until_good("delivery", deliver)
            self.acknowledged.add(f"evt_{number:06}")
            if await self._is_over():
                return

    async def _read(self) -> None:
        async def read() -> None:
            _expect((await self.customer.get("/")).status_code, 200)

        while not await self._is_over():
            await self._until_good("page", read)

    async def _change(self) -> None:
        """Upgrade and downgrade in turn."""
        subscription = await self.shop.subscription("ada")
        for plan in itertools.cycle(("scale", "starter")):
            await self._change_to(plan, f"/subscriptions/{subscription.id}/change")
            if await self._is_over():
                return

    async def _change_to(self, plan: str, path: str) -> None:
        """One change, by the form that shows its amount, until its outcome is known."""
        fields: dict[str, str] = {}
        outcome: list[str] = []

        async def review() -> None:
            page = await self.customer.get(f"{path}/review?price={self.shop.prices[plan]}")
            _expect(page.status_code, 200)
            fields.update(hidden_fields(page.text))

        async def confirm() -> None:
            answer = await self.customer.post(path, fields)
            _expect(answer.status_code, 303)
            outcome.append(answer.headers["location"])

        async def look() -> None:
            page = await self.customer.get(outcome[0])
            _expect(page.status_code, 200)
            if "refresh" not in page.headers:
                outcome.append("settled")

        await self._until_good("review", review)
        await self._until_good("change", confirm)
        self.changes.append(outcome[0])
        while outcome[-1] != "settled":
            await self._until_good("outcome", look)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _is_over(self) -> bool:
        """Whether the load shall end, after a pause."""
        try:
            async with asyncio.timeout(_PAUSE_SECONDS):
                await self._ending.wait()
        except TimeoutError:
            return False
        return True


def _expect(status: int, wanted: int) -> None:
    if status != wanted:
        raise Failed(str(status))
