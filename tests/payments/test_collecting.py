"""Who collects an open invoice: the provider by itself, or nobody but us."""

from datetime import UTC, datetime, timedelta

import pytest

from guichet.payments.copies import InvoiceCopy
from guichet.payments.errors import CardRefused, ProviderRefused, ProviderUnreachable
from tests.payments.clocks import add_clock, advance
from tests.payments.debts import attempts, owe
from tests.payments.faults import lose_answers
from tests.shops import Shop

_START = datetime(2026, 4, 1, tzinfo=UTC)
_RENEWAL = datetime(2026, 5, 1, tzinfo=UTC)


async def _fail_a_renewal(shop: Shop) -> tuple[str, InvoiceCopy]:
    """A renewal that was refused once; answers the clock and the invoice."""
    clock = await add_clock(shop, _START)
    customer = await shop.add_customer(clock=clock)
    await shop.subscribe(customer)
    await shop.set(fail_next_charges=100, fail_with="insufficient_funds")
    await advance(shop, clock, _RENEWAL + timedelta(hours=2))
    invoice = await anext(aiter(shop.port.list_invoices()))
    assert (invoice.status, invoice.attempt_count) == ("open", 1)
    assert invoice.next_payment_attempt_at is not None
    return clock, invoice


async def test_what_is_not_collected_automatically_is_never_retried_by_the_provider(
    shop: Shop,
) -> None:
    clock, invoice = await _fail_a_renewal(shop)
    taken = await shop.port.set_automatic_collection(invoice.id, False, "take")
    assert taken.next_payment_attempt_at is None
    assert await shop.port.set_automatic_collection(invoice.id, False, "take") == taken
    assert await shop.port.set_automatic_collection(invoice.id, False, "again") == taken
    tried = len(await attempts(shop))
    with pytest.raises(CardRefused):
        await shop.port.charge_invoice(invoice.id, "ours")
    await advance(shop, clock, _RENEWAL + timedelta(days=25))
    assert len(await attempts(shop)) == tried + 1
    present = await shop.port.fetch_invoice(invoice.id)
    assert present is not None
    assert (present.status, present.next_payment_attempt_at) == ("open", None)


async def test_what_is_handed_back_is_retried_by_the_provider_again(shop: Shop) -> None:
    clock, invoice = await _fail_a_renewal(shop)
    await shop.port.set_automatic_collection(invoice.id, False, "take")
    await shop.set(fail_next_charges=0)
    handed_back = await shop.port.set_automatic_collection(invoice.id, True, "hand back")
    assert handed_back.next_payment_attempt_at is not None
    later = await shop.port.set_automatic_collection(invoice.id, True, "hand back again")
    assert later.next_payment_attempt_at == handed_back.next_payment_attempt_at
    await advance(shop, clock, handed_back.next_payment_attempt_at + timedelta(hours=1))
    present = await shop.port.fetch_invoice(invoice.id)
    assert present is not None
    assert present.status == "paid"


@pytest.mark.parametrize("automatic", [False, True])
@pytest.mark.parametrize("end", ["charge_invoice", "void_invoice", "mark_uncollectible"])
async def test_an_invoice_that_is_settled_is_answered_as_it_is(
    shop: Shop, end: str, automatic: bool
) -> None:
    owed = await owe(shop)
    await getattr(shop.port, end)(owed.id, "end")
    settled = await shop.port.fetch_invoice(owed.id)
    assert await shop.port.set_automatic_collection(owed.id, automatic, "key") == settled


async def test_a_switch_whose_answer_is_lost_is_repeated_without_harm(shop: Shop) -> None:
    _, invoice = await _fail_a_renewal(shop)
    await lose_answers(shop, f"/v1/invoices/{invoice.id}")
    with pytest.raises(ProviderUnreachable) as lost:
        await shop.port.set_automatic_collection(invoice.id, False, "key")
    assert not lost.value.outcome_known
    taken = await shop.port.set_automatic_collection(invoice.id, False, "key")
    assert taken.next_payment_attempt_at is None


async def test_an_invoice_that_is_not_there_is_collected_by_nobody(shop: Shop) -> None:
    with pytest.raises(ProviderRefused) as missing:
        await shop.port.set_automatic_collection("in_none", False, "key")
    assert missing.value.provider_code == "resource_missing"


async def test_a_subscription_is_charged_to_the_method_it_is_given(shop: Shop) -> None:
    clock = await add_clock(shop, _START)
    customer = await shop.add_customer(clock=clock)
    default = await shop.set_card(customer, "pm_card_visa")
    attached = await shop.sdk.payment_methods.attach_async(
        "pm_card_mastercard", {"customer": customer}
    )
    subscription = await shop.subscribe(customer)
    charged = []
    for month, method in enumerate((attached.id, None), 1):
        copy = await shop.port.use_payment_method(subscription.id, method, f"month {month}")
        assert copy.default_payment_method_id == method
        await advance(shop, clock, _START + timedelta(days=32 * month))
        charged.append((await attempts(shop))[0].payment_method_id)
    assert charged == [attached.id, default]
    stranger = await shop.add_customer("grace@example.com")
    theirs = await shop.set_card(stranger, "pm_card_visa")
    with pytest.raises(ProviderRefused):
        await shop.port.use_payment_method(subscription.id, theirs, "theirs")
