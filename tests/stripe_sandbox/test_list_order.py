"""Lists are newest first by the time that objects show, wherever on their clocks they are."""

from tests.stripe_sandbox.program import Account
from tests.stripe_sandbox.shop import DAY, START, open_shop

_LATER = START + 4_000 * DAY


async def _customers(account: Account, **params: str) -> list[tuple[int, str]]:
    answer = await account.http.get("/v1/customers", params=params)
    return [(each["created"], each["id"]) for each in answer.json()["data"]]


async def test_lists_follow_the_times_of_past_and_future_clocks(account: Account) -> None:
    future = await open_shop(account, start=_LATER)
    past = await open_shop(account, start=START - 4_000 * DAY)
    today = await account.v1.customers.create_async({"name": "Today"})
    listed = [identifier for _, identifier in await _customers(account)]
    assert listed == [future.customer, today.id, past.customer]
    backwards = await _customers(account, ending_before=past.customer, limit="1")
    assert [identifier for _, identifier in backwards] == [today.id]


async def test_paging_neither_repeats_nor_skips_while_objects_are_added(account: Account) -> None:
    shop = await open_shop(account)
    for _ in range(5):
        await account.v1.customers.create_async({"test_clock": shop.clock})
    whole = await _customers(account)
    seen = await _customers(account, limit="2")
    while len(seen) < len(whole):
        # One is newer than every page, one of the same second as those on them.
        await account.v1.customers.create_async({"name": "Newer"})
        await account.v1.customers.create_async({"test_clock": shop.clock})
        seen += await _customers(account, limit="2", starting_after=seen[-1][1])
    assert seen == whole
    assert seen == sorted(seen, key=lambda each: -each[0])


async def test_a_renewal_that_is_drafted_later_is_listed_by_its_own_time(account: Account) -> None:
    ahead, behind = await open_shop(account), await open_shop(account)
    for shop in (ahead, behind):
        await shop.subscribe(await shop.price(1_000))
    await ahead.advance(START + 100 * DAY)
    await behind.advance(START + 30 * DAY)
    found = await account.v1.invoices.list_async({"limit": 100})
    created = [invoice.created for invoice in found.data]
    assert created == sorted(created, reverse=True)
    assert len({invoice.customer for invoice in found.data[:2]}) == 1
