"""The provider's own settings: what a key may do, and where events are delivered."""

from typing import Protocol

from guichet.payments.answers import Endpoint


class SettingUp(Protocol):
    """What is set up once."""

    async def lacking(self) -> tuple[str, ...]:
        """The permissions that this key lacks of all that are needed, in the provider's words."""
        ...

    async def list_endpoints(self) -> list[Endpoint]:
        """Every webhook endpoint of the account, without secrets."""
        ...

    async def create_endpoint(
        self, url: str, reference: str, *, live: bool, idempotency_key: str
    ) -> Endpoint:
        """Have all events that are followed delivered to `url`; the answer holds the secret.

        `reference` is kept with it, to know it again.
        """
        ...

    async def delete_endpoint(self, endpoint_id: str) -> None:
        """Deliver nothing there any more; one that is gone already is fine."""
        ...
