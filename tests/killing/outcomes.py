"""Everything that can become of a call to the provider, at a shop whose charges can be counted."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID, uuid4

from guichet.billing.change_requests import (
    ChangeRequest,
    carry_out,
    find_request,
    finish,
    start_request,
)
from guichet.billing.resuming import resume_unfinished
from guichet.db import Database
from guichet.payments.choose import Providers
from guichet.payments.copies import SubscriptionCopy
from guichet.payments.errors import (
    CardRefused,
    ChangeHalfMade,
    NeedsAuthentication,
    ProviderAway,
    ProviderBusy,
    ProviderConflict,
    ProviderError,
    ProviderKeyRejected,
    ProviderRefused,
    ProviderUnreachable,
)
from guichet.payments.orders import ItemOrder, SubscriptionChange
from guichet.payments.port import PaymentProvider
from guichet.settings import Settings
from tenants.vault import Vault
from tests.shops import Shop


class Killed(BaseException):
    """The process that was calling is no more."""


#: What the provider does with a change, and what it then answers.
EVENTS: dict[str, tuple[bool, BaseException | None]] = {
    "answered": (True, None),
    "card refused": (False, CardRefused("insufficient_funds")),
    "needs authentication": (False, NeedsAuthentication()),
    "invalid": (False, ProviderRefused("parameter_invalid")),
    "conflict": (False, ProviderConflict()),
    "busy": (False, ProviderBusy()),
    "not sent": (False, ProviderAway()),
    "unreachable after doing": (True, ProviderUnreachable()),
    "unreachable before doing": (False, ProviderUnreachable()),
    "key rejected": (False, ProviderKeyRejected()),
    "half made": (True, ChangeHalfMade()),
    "killed": (True, Killed()),
}
#: Whoever meets these gets no other answer either.
_SILENT = ("busy", "not sent", "unreachable before doing", "key rejected")


_ANSWERS = (CardRefused, NeedsAuthentication, ProviderRefused)


class Troubled:
    """A provider to which something happens at each change."""

    def __init__(
        self, provider: PaymentProvider, event: str, answers: dict[str, ProviderError | None]
    ) -> None:
        self._provider = provider
        self._event = event
        self._answers = answers
        #: Called when a change is asked for, before anything else.
        self.meanwhile: Callable[[], Awaitable[object]] | None = None
        self.asked = 0

    async def change_subscription(self, change: SubscriptionChange, key: str) -> SubscriptionCopy:
        self.asked += 1
        if self.meanwhile is not None:
            await self.meanwhile()
        does, error = EVENTS[self._event]
        if does or isinstance(error, _ANSWERS):
            # A provider answers a key that it knows as it did before.
            refusal = error if isinstance(error, _ANSWERS) else None
            first = self._answers.setdefault(key, refusal)
            does = first is None
            if first is not None and not isinstance(error, ProviderUnreachable | Killed):
                error = first
            elif isinstance(error, _ANSWERS):
                error = None
        if does:
            copy = await self._provider.change_subscription(change, key)
        if error is not None:
            raise error
        return copy

    async def fetch_subscription(self, subscription_id: str) -> SubscriptionCopy | None:
        error = EVENTS[self._event][1]
        if self._event in _SILENT and error is not None:
            raise error
        return await self._provider.fetch_subscription(subscription_id)


class _Chosen(Providers):
    """Answers one client for every tenant."""

    def __init__(self, db: Database, settings: Settings, client: PaymentProvider) -> None:
        super().__init__(settings, db, Vault(settings.master_keys))
        self._client = client

    async def client(self, tenant_id: UUID) -> PaymentProvider:
        return self._client


class Case:
    """One subscription of a new customer, whose quantity is changed."""

    def __init__(self, settings: Settings, db: Database, tenant_id: UUID, shop: Shop) -> None:
        self._settings = settings
        self._db = db
        self._tenant_id = tenant_id
        self._shop = shop
        self.customer_id = ""
        self._item_id = ""
        self._subscription_id = ""
        self._quantity = 1
        #: What became of each key at the provider.
        self._answers: dict[str, ProviderError | None] = {}

    async def open(self) -> None:
        self.customer_id = await self._shop.add_customer()
        subscription = await self._shop.subscribe(self.customer_id)
        self._subscription_id = subscription.id
        self._item_id = subscription.items.data[0].id

    def troubled(self, event: str) -> Troubled:
        return Troubled(self._shop.port, event, self._answers)

    async def start(self, request_id: UUID | None = None) -> ChangeRequest:
        """Write down one more of the same; raises `ChangeUnfinished`."""
        self._quantity += 1
        plan = SubscriptionChange(
            subscription_id=self._subscription_id,
            items=(
                ItemOrder(
                    item_id=self._item_id, price_id=self._shop.larger, quantity=self._quantity
                ),
            ),
            when="now",
            proration="always_invoice",
            as_of=datetime.now(UTC).replace(microsecond=0),
        )
        async with self._db.unit(self._tenant_id) as unit:
            return await start_request(
                unit,
                request_id or uuid4(),
                self.customer_id,
                self._subscription_id,
                "change_plan",
                plan,
            )

    async def carry_out(self, request: ChangeRequest, provider: Troubled) -> None:
        """What the customer's request does; a killed process leaves it as it is."""
        try:
            client = cast(PaymentProvider, provider)
            await carry_out(self._db, client, self._tenant_id, request)
        except Killed:
            pass

    async def resume(
        self, provider: Troubled, later: timedelta = timedelta(0), is_abandoned: bool = True
    ) -> None:
        """What a worker does, as a rule once nobody is at work on the request any more."""
        if is_abandoned:
            await self._abandon()
        chosen = _Chosen(self._db, self._settings, cast(PaymentProvider, provider))
        try:
            now = datetime.now(UTC) + later
            await resume_unfinished(self._db, chosen, self._tenant_id, now)
        except (Killed, ProviderError):
            pass

    async def make_elsewhere(self, request: ChangeRequest) -> None:
        """Somebody else makes the change under the same key, and writes it down."""
        assert request.plan is not None
        await self._shop.port.change_subscription(request.plan, f"guichet-{request.id}")
        await self._settle(request, "done", None)

    async def plan_for_later(self) -> None:
        """The customer has chosen another plan for the next period."""
        item = ItemOrder(item_id=self._item_id, price_id=self._shop.yearly)
        plan = SubscriptionChange(
            subscription_id=self._subscription_id,
            items=(item,),
            when="period_end",
            proration="none",
            as_of=datetime.now(UTC),
        )
        await self._shop.port.schedule_change(plan, f"plan-{uuid4()}")

    async def has_plan_for_later(self) -> bool:
        copy = await self._shop.port.fetch_subscription(self._subscription_id)
        assert copy is not None
        return copy.pending is not None

    async def turn_back(self) -> None:
        """The merchant takes the customer back to the first plan, without an invoice."""
        await self._shop.sdk.subscriptions.update_async(
            self._subscription_id,
            {
                "items": [
                    {"id": self._item_id, "price": self._shop.monthly, "quantity": 1},
                ],
                "proration_behavior": "none",
            },
        )

    async def settle_late(self, request: ChangeRequest, event: str) -> None:
        """An answer that comes when everybody has gone on is written down."""
        error = EVENTS.get(event, (False, None))[1]
        match error:
            case None | Killed():
                await self._settle(request, "done", None)
            case ProviderError(outcome_known=True):
                await self._settle(request, "refused", error.code)
            case ProviderError():
                await self._settle(request, "unknown", error.code)

    async def _settle(self, request: ChangeRequest, state: str, failure: str | None) -> None:
        async with self._db.unit(self._tenant_id) as unit:
            await finish(unit, request, state, failure)

    async def state(self, request: ChangeRequest) -> str:
        async with self._db.unit(self._tenant_id) as unit:
            found = await find_request(unit, self.customer_id, request.id)
        assert found is not None
        return found.state

    async def charges(self) -> int:
        """How often the customer was charged for a change."""
        found = await self._shop.sdk.invoices.list_async(
            {"customer": self.customer_id, "limit": 100}
        )
        paid = [it for it in found.data if it.billing_reason == "subscription_update"]
        assert all(it.status == "paid" for it in paid)
        return len(paid)

    async def _abandon(self) -> None:
        """End every lease, as time does."""
        async with self._db.unit(self._tenant_id) as unit:
            await unit.execute(
                """
                update change_requests
                set claimed_until = now() - interval '1 second'
                where tenant_id = $1
                """,
                self._tenant_id,
            )
