"""Whatever the provider answers, or does not: one of our errors, and never its own words."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import pytest

from guichet.payments.copies import CustomerCopy
from guichet.payments.errors import (
    CardRefused,
    InvalidTaxId,
    NeedsAuthentication,
    ProviderAway,
    ProviderBusy,
    ProviderConflict,
    ProviderError,
    ProviderKeyRejected,
    ProviderRefused,
    ProviderUnreachable,
)
from guichet.payments.orders import CustomerDetails
from guichet.payments.stripe.adapter import Stripe, Transport
from tests.payments.debts import owe
from tests.payments.faults import ATTEMPTS
from tests.shops import Shop


class Fault(NamedTuple):
    """What goes wrong with a change, and what it has to become."""

    error: type[ProviderError]
    outcome_known: bool
    status: int
    switches: dict[str, Any]
    #: Whether there was an answer to take the provider's id of the request from.
    answered: bool = True


def _fault(**fault: Any) -> dict[str, Any]:
    return {"fail_next_requests": [{"count": ATTEMPTS, "method": "POST", **fault}]}


_FAULTS = [
    Fault(ProviderRefused, True, 422, _fault(status=400)),
    Fault(ProviderKeyRejected, True, 503, _fault(status=401)),
    Fault(ProviderKeyRejected, True, 503, _fault(status=403)),
    Fault(ProviderRefused, True, 422, _fault(status=404)),
    Fault(ProviderConflict, False, 409, _fault(status=409)),
    Fault(ProviderBusy, True, 503, _fault(status=429)),
    Fault(ProviderUnreachable, False, 503, _fault(status=500)),
    Fault(ProviderUnreachable, False, 503, _fault(status=502)),
    Fault(ProviderUnreachable, False, 503, _fault(status=503)),
    Fault(ProviderUnreachable, False, 503, _fault(mode="lost"), answered=False),
    Fault(ProviderUnreachable, False, 503, _fault(mode="refused"), answered=False),
    Fault(ProviderKeyRejected, True, 503, {"revoked": True}),
]


def _create(port: Stripe) -> Awaitable[CustomerCopy]:
    return port.create_customer(CustomerDetails(email="ada@example.com"), "key")


def _check(error: ProviderError) -> None:
    """It says our words, and nothing of the provider's travels with it."""
    assert str(error) == error.message
    assert error.__cause__ is None
    assert error.__suppress_context__


@pytest.mark.parametrize("fault", _FAULTS, ids=str)
async def test_each_fault_of_the_provider_is_an_error_of_ours(shop: Shop, fault: Fault) -> None:
    await shop.set(**fault.switches)
    with pytest.raises(ProviderError) as raised:
        await _create(shop.port)
    error = raised.value
    assert type(error) is fault.error
    assert (error.outcome_known, error.status) == (fault.outcome_known, fault.status)
    assert bool(error.request_id) == fault.answered
    _check(error)


async def test_what_cannot_be_reached_has_changed_nothing() -> None:
    transport = Transport()
    with pytest.raises(ProviderAway) as away:
        await _create(Stripe("sk_test_1", "http://127.0.0.1:1", transport))
    assert away.value.outcome_known
    assert away.value.request_id is None
    _check(away.value)
    await transport.close_async()


async def test_a_key_that_is_known_and_may_not_do_this_says_so(shop: Shop) -> None:
    for status, known in ((401, False), (403, True)):
        await shop.set(**_fault(status=status, count=1))
        with pytest.raises(ProviderKeyRejected) as rejected:
            await _create(shop.port)
        assert rejected.value.known == known


class Decline(NamedTuple):
    """A decline code, and what the card's network says with it."""

    decline_code: str
    network_decline_code: str
    advice: str


_DECLINES = [
    Decline("generic_decline", "05", "02"),
    Decline("insufficient_funds", "51", "02"),
    Decline("lost_card", "41", "03"),
    Decline("stolen_card", "43", "03"),
    Decline("expired_card", "54", "01"),
    Decline("incorrect_cvc", "82", "01"),
    Decline("processing_error", "96", "02"),
]


async def _pay(shop: Shop) -> None:
    """Try to pay an invoice, and be refused."""
    owed = await owe(shop)
    await shop.set(fail_next_charges=1)
    await shop.port.charge_invoice(owed.id, "key")


@pytest.mark.parametrize("decline", _DECLINES, ids=str)
async def test_each_decline_is_told_with_what_the_network_says(
    shop: Shop, decline: Decline
) -> None:
    await shop.set(fail_with=decline.decline_code)
    with pytest.raises(CardRefused) as refused:
        await _pay(shop)
    error = refused.value
    assert (error.decline_code, error.network_decline_code, error.advice) == decline
    assert (error.status, error.outcome_known, bool(error.request_id)) == (402, True, True)
    _check(error)
    [attempt] = [each async for each in shop.port.list_attempts()]
    kept = (attempt.decline_code, attempt.network_decline_code, attempt.network_advice_code)
    assert (attempt.status, *kept) == ("failed", *decline)
    assert error.charge_id == attempt.id


async def test_a_bank_that_wants_the_customer_is_no_refused_card(shop: Shop) -> None:
    await shop.set(fail_with="authentication_required")
    with pytest.raises(NeedsAuthentication) as needs:
        await _pay(shop)
    assert (needs.value.status, needs.value.outcome_known) == (402, True)
    _check(needs.value)


async def test_a_tax_number_that_is_none_is_the_customer_s_to_correct(shop: Shop) -> None:
    customer = await shop.add_customer()
    with pytest.raises(InvalidTaxId) as invalid:
        await shop.port.add_tax_id(customer, "eu_vat", "nonsense", "key")
    assert (invalid.value.status, invalid.value.provider_code) == (422, "tax_id_invalid")
    _check(invalid.value)


_MISSING: list[Callable[[Stripe], Awaitable[object]]] = [
    lambda port: port.update_customer("cus_none", CustomerDetails(name="Ada"), "key"),
    lambda port: port.add_tax_id("cus_none", "eu_vat", "FR12345678901", "key"),
    lambda port: port.order_payment_methods("cus_none", ("pm_none",), "key"),
    lambda port: port.detach_payment_method("pm_none", "key"),
    lambda port: port.charge_invoice("in_none", "key"),
    lambda port: port.confirm_payment("in_none", "http://lumen.localhost:8000/", "key"),
    lambda port: port.finalize_invoice("in_none", "key"),
    lambda port: port.void_invoice("in_none", "key"),
    lambda port: port.mark_uncollectible("in_none", "key"),
]


@pytest.mark.parametrize("call", _MISSING)
async def test_what_is_not_there_cannot_be_changed(
    shop: Shop, call: Callable[[Stripe], Awaitable[object]]
) -> None:
    with pytest.raises(ProviderRefused) as refused:
        await call(shop.port)
    assert refused.value.provider_code == "resource_missing"
    assert refused.value.outcome_known
    _check(refused.value)
