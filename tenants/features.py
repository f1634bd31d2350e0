"""What customers find in a merchant's portal: each ability may be switched off."""

import msgspec


class Features(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What customers may do. Cancelling has rules of its own.

    What is switched off is neither shown nor done: its addresses answer as if they did not exist.
    """

    change_plan: bool = True
    change_quantity: bool = True
    #: History with documents. What is owed can be seen and paid whatever this says.
    invoices: bool = True
    #: Adding, ordering and removing. A failed payment can be paid with another card whatever
    #: this says.
    payment_methods: bool = True
    #: Languages and optional mails.
    preferences: bool = True
