"""The books: what must always hold between mirror and provider, and within the mirror.

A check reads the provider's lists and the mirror, and tells only what outlasts the time that a
change may be on its way. What is harmless is mended by fetching the object anew.
"""

from guichet.billing.books.checking import Books, check_books
from guichet.billing.books.differences import REMEDIES, RULES, Difference, Remedy
from guichet.billing.books.ledger import (
    BookCheck,
    TenantBooks,
    count_different,
    list_books,
    list_differences,
    read_check,
)

__all__ = [
    "REMEDIES",
    "RULES",
    "BookCheck",
    "Books",
    "Difference",
    "Remedy",
    "TenantBooks",
    "check_books",
    "count_different",
    "list_books",
    "list_differences",
    "read_check",
]
