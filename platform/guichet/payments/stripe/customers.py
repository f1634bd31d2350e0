"""Customers at Stripe, their tax ids and what they pay with."""

from collections.abc import Awaitable
from typing import cast

from stripe import Customer, SetupIntent
from stripe import checkout as checkouts
from stripe.params import (
    CustomerCreateParams,
    CustomerCreateTaxIdParams,
    CustomerUpdateParams,
    PaymentMethodDetachParams,
)
from stripe.params.checkout import SessionCreateParams

from guichet.payments.answers import SetupPage
from guichet.payments.copies import CustomerCopy, PaymentMethodCopy, TaxIdCopy
from guichet.payments.errors import ChangeHalfMade, ProviderError, ProviderRefused
from guichet.payments.orders import CustomerDetails, SetupOrder
from guichet.payments.stripe import copying
from guichet.payments.stripe.access import Access
from guichet.payments.stripe.calls import after_a_change, ask, bounded, find, pages
from guichet.payments.stripe.details import checkout_locale, customer_parameters
from guichet.payments.stripe.whole import whole_customer

#: The default and its fallbacks: a value of Stripe's metadata holds 500 characters.
#: Source: https://docs.stripe.com/api/metadata.
_MOST_METHODS = 15


class Customers(Access):
    """What is changed about customers."""

    @bounded
    async def create_customer(self, details: CustomerDetails, idempotency_key: str) -> CustomerCopy:
        parameters = {**customer_parameters(details), "expand": copying.CUSTOMER}
        call = self._api.customers.create_async(
            cast(CustomerCreateParams, parameters), {"idempotency_key": idempotency_key}
        )
        return await self._changed_customer(call)

    @bounded
    async def update_customer(
        self, customer_id: str, details: CustomerDetails, idempotency_key: str
    ) -> CustomerCopy:
        parameters = cast(CustomerUpdateParams, customer_parameters(details))
        return await self._update_customer(customer_id, parameters, idempotency_key)

    async def add_tax_id(
        self, customer_id: str, kind: str, value: str, idempotency_key: str
    ) -> TaxIdCopy:
        parameters: CustomerCreateTaxIdParams = {"type": kind, "value": value}
        call = self._api.customers.tax_ids.create_async(
            customer_id, parameters, {"idempotency_key": idempotency_key}
        )
        return copying.copy_tax_id(await ask(call))

    async def remove_tax_id(self, customer_id: str, tax_id: str, idempotency_key: str) -> None:
        # Stripe ignores the key of what is deleted: what is gone already is removed as well.
        await find(self._api.customers.tax_ids.delete_async(customer_id, tax_id), lambda gone: gone)

    async def open_setup_page(self, order: SetupOrder, idempotency_key: str) -> SetupPage:
        parameters: SessionCreateParams = {
            "mode": "setup",
            "customer": order.customer_id,
            "success_url": order.success_url,
            "cancel_url": order.cancel_url,
            "locale": checkout_locale(order.locale),
            "expand": ["setup_intent"],
        }
        # In this mode Stripe wants either a currency, to know what may be offered, or the offer.
        if order.currency is None:
            parameters["allowed_payment_method_types"] = ["card"]
        else:
            parameters["currency"] = order.currency
        call = self._api.checkout.sessions.create_async(
            parameters, {"idempotency_key": idempotency_key}
        )
        return _setup_page(await ask(call))

    async def fetch_setup_page(self, page_id: str) -> SetupPage | None:
        call = self._api.checkout.sessions.retrieve_async(page_id, {"expand": ["setup_intent"]})
        return await find(call, _setup_page)

    @bounded
    async def order_payment_methods(
        self, customer_id: str, payment_method_ids: tuple[str, ...], idempotency_key: str
    ) -> CustomerCopy:
        if not len(set(payment_method_ids)) == len(payment_method_ids) <= _MOST_METHODS:
            raise ProviderRefused("parameter_invalid", "payment_method_ids")
        listed = pages(self._api.payment_methods.list_async, {"customer": customer_id})
        if not {method.id async for method in listed}.issuperset(payment_method_ids):
            raise ProviderRefused("resource_missing", "payment_method_ids")
        return await self._update_customer(customer_id, _order(payment_method_ids), idempotency_key)

    @bounded
    async def detach_payment_method(
        self, payment_method_id: str, idempotency_key: str
    ) -> PaymentMethodCopy:
        method = await ask(self._api.payment_methods.retrieve_async(payment_method_id))
        customer_id = copying.reference(method.customer)
        if customer_id is None:
            return copying.copy_payment_method(method)
        # First out of the order: once it is detached, nobody knows any more whose it was.
        reordered = await self._drop_from_order(customer_id, payment_method_id)
        parameters: PaymentMethodDetachParams = {}
        call = self._api.payment_methods.detach_async(
            payment_method_id, parameters, {"idempotency_key": idempotency_key}
        )
        try:
            return copying.copy_payment_method(await ask(call))
        except ProviderError:
            if reordered:
                raise ChangeHalfMade from None
            raise

    async def _drop_from_order(self, customer_id: str, payment_method_id: str) -> bool:
        """Let the next in order take the method's place; answers whether it was in the order."""
        retrieved = self._api.customers.retrieve_async(customer_id)
        customer = await find(retrieved, copying.copy_customer)
        if customer is None or customer.deleted:
            return False
        order = (customer.default_payment_method_id, *customer.fallback_payment_method_ids)
        if payment_method_id not in order:
            return False
        left = tuple(each for each in order if each and each != payment_method_id)
        # Without a key of ours: the order may be another one when this is repeated.
        await ask(self._api.customers.update_async(customer_id, _order(left)))
        return True

    async def _update_customer(
        self, customer_id: str, parameters: CustomerUpdateParams, idempotency_key: str
    ) -> CustomerCopy:
        parameters["expand"] = copying.CUSTOMER
        call = self._api.customers.update_async(
            customer_id, parameters, {"idempotency_key": idempotency_key}
        )
        return await self._changed_customer(call)

    async def _changed_customer(self, call: Awaitable[Customer]) -> CustomerCopy:
        customer = await ask(call)
        with after_a_change():
            return await whole_customer(self._api, customer)


def _order(payment_method_ids: tuple[str, ...]) -> CustomerUpdateParams:
    """The first as the default, the others as what is tried when it fails."""
    default, fallbacks = payment_method_ids[:1], payment_method_ids[1:]
    return {
        "invoice_settings": {"default_payment_method": "".join(default)},
        "metadata": {copying.FALLBACKS: ",".join(fallbacks)},
    }


def _setup_page(session: checkouts.Session) -> SetupPage:
    """A page whose setup intent was expanded."""
    intent = session.setup_intent
    added = None
    if isinstance(intent, SetupIntent) and intent.status == "succeeded":
        added = copying.reference(intent.payment_method)
    return SetupPage(
        id=session.id,
        customer_id=copying.reference(session.customer),
        status=session.status or "open",  # type: ignore[arg-type]
        url=session.url if session.status == "open" else None,
        payment_method_id=added,
        expires_at=copying.moment(session.expires_at),
    )
