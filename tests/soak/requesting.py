"""What customers confirm on our pages: written down, carried out, and written into the mirror."""

from guichet.billing.change_requests import Kind, carry_out, start_request
from guichet.payments.orders import SubscriptionChange
from tests.soak.account import Account
from tests.soak.asking import order


class Refused(Exception):
    """The provider did not make the change; the text is the error code."""


async def request_change(account: Account) -> None:
    copy = await account.subscription()
    later = account.chance.random() < 0.4
    plan = order(account, copy, later=later)
    await _request(account, copy.id, copy.customer_id, "change_plan", plan)


async def request_cancel(account: Account) -> None:
    await _request_plainly(account, "cancel")


async def request_keep(account: Account) -> None:
    await _request_plainly(account, "keep")


async def request_undo(account: Account) -> None:
    await _request_plainly(account, "undo_change")


async def _request_plainly(account: Account, kind: Kind) -> None:
    copy = await account.subscription()
    await _request(account, copy.id, copy.customer_id, kind)


async def _request(
    account: Account,
    subscription_id: str,
    customer_id: str,
    kind: Kind,
    plan: SubscriptionChange | None = None,
) -> None:
    async with account.db.unit(account.tenant_id) as unit:
        request = await start_request(
            unit, account.identifier(), customer_id, subscription_id, kind, plan
        )
    done = await carry_out(account.db, account.port, account.tenant_id, request)
    if done.state != "done":
        raise Refused(done.failure or done.state)
