"""Stripe as the port wants it: our words in, our copies and our errors out."""

from guichet.payments.stripe.changing import Changing
from guichet.payments.stripe.customers import Customers
from guichet.payments.stripe.invoices import Invoices
from guichet.payments.stripe.quoting import Quoting
from guichet.payments.stripe.setting_up import SettingUp
from guichet.payments.stripe.starting import Starting
from guichet.payments.stripe.transport import Transport

__all__ = ["Stripe", "Transport"]


class Stripe(Changing, Quoting, Starting, Customers, Invoices, SettingUp):
    """One tenant's whole access."""
