"""One tenant's access to Stripe's API: what every room of the adapter stands on."""

import stripe

from guichet.payments.stripe.line import Line
from guichet.payments.stripe.transport import Wire


class Access:
    """The tenant's client of the SDK. Cheap to make: the connections are the transport's."""

    def __init__(self, secret_key: str, url: str, wire: Wire) -> None:
        self._client = stripe.StripeClient(
            secret_key, base_addresses={"api": url}, http_client=Line(wire)
        )
        self._api = self._client.v1

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"
