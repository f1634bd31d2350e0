"""The mirror of what the provider holds, for pages to read.

Each write says which copy it writes: a number drawn from one sequence, before an object is fetched
or after the answer to a call of our own. A copy never overwrites one with a higher number, so
copies may be written in any order, twice, or late.
"""

from guichet.billing.mirror.people import write_customer, write_payment_method
from guichet.billing.mirror.plans import write_price, write_product
from guichet.billing.mirror.sales import write_invoice, write_subscription
from guichet.billing.mirror.whole import Kind, Reference, draw_copy_no, write_copy, write_missing

__all__ = [
    "Kind",
    "Reference",
    "draw_copy_no",
    "write_copy",
    "write_customer",
    "write_invoice",
    "write_missing",
    "write_payment_method",
    "write_price",
    "write_product",
    "write_subscription",
]
