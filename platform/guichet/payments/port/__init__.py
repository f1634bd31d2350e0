"""What a payment provider has to be able to do, one room for each noun.

Every call ends within 10 s and raises a `guichet.payments.errors.ProviderError` when it fails. A
call that changes something takes an idempotency key: the same key may be sent again at any time
within 24 h and changes nothing twice. After an error whose `outcome_known` is false the change may
or may not have been made: repeat it with the same key, or look.

A `fetch_…` answers None for an object that is not there (a deleted customer is there, and says so).
`list_…` pages by itself and is newest first, as the provider lists.
"""

from typing import Protocol

from guichet.payments.port.customers import Customers
from guichet.payments.port.invoices import Invoices
from guichet.payments.port.reading import Reading
from guichet.payments.port.setting_up import SettingUp
from guichet.payments.port.subscriptions import Subscriptions


class PaymentProvider(Reading, Subscriptions, Customers, Invoices, SettingUp, Protocol):
    """One tenant's access to its provider."""


__all__ = ["PaymentProvider"]
