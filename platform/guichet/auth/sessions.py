"""Customers' sessions: rows that hold a hash of the cookie and can be revoked."""

from uuid import UUID

import msgspec


class Session(msgspec.Struct, frozen=True):
    """A signed-in customer; the `session` of what the function `portal_home` answers."""

    id: UUID
    customer_id: str
    customer_email: str | None
    customer_name: str | None
    #: The language that the customer chose here, if any.
    locale: str | None
