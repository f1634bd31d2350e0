"""A provider to which something happens at each charge of one invoice, and that looks at each call.

Nothing may be tried while another charge of the invoice is in doubt, and no charge that is in doubt
may be asked for again before it was looked for.
"""

from collections.abc import Awaitable, Callable
from typing import Any, cast
from uuid import UUID

from guichet.deployment import Deployment
from guichet.payments.answers import Payment
from guichet.payments.choose import Providers
from guichet.payments.copies import AttemptCopy
from guichet.payments.errors import (
    ProviderAway,
    ProviderBusy,
    ProviderConflict,
    ProviderError,
    ProviderKeyRejected,
    ProviderRefused,
    ProviderUnreachable,
)
from guichet.payments.port import PaymentProvider
from tenants.vault import Vault
from tests.killing.outcomes import Killed

#: What the provider does with a charge, and what it then answers.
EVENTS: dict[str, tuple[bool, BaseException | None]] = {
    "answered": (True, None),
    "unreachable after charging": (True, ProviderUnreachable()),
    "unreachable before charging": (False, ProviderUnreachable()),
    "unreachable, charged later": (False, ProviderUnreachable()),
    "killed after charging": (True, Killed()),
    "killed before charging": (False, Killed()),
    "conflict": (False, ProviderConflict()),
    "busy": (False, ProviderBusy()),
    "not sent": (False, ProviderAway()),
    "refused": (False, ProviderRefused("parameter_invalid")),
    "key rejected": (False, ProviderKeyRejected()),
}


def _is_in_doubt(error: BaseException) -> bool:
    return not (isinstance(error, ProviderError) and error.outcome_known)


class Charges:
    """What we asked for about one invoice, and what must never happen and did."""

    def __init__(self) -> None:
        self.invoice_id = ""
        self.wrong: list[str] = []
        #: Keys of charges that we asked for.
        self.asked: set[str] = set()
        #: Those whose outcome nobody knows, and that were not looked for since.
        self.unlooked: set[str] = set()
        #: Calls that the provider has and will answer some time: invoice, key and method.
        self.later: list[tuple[str, str, str | None]] = []
        #: Keys that the provider has forgotten.
        self.forgotten: set[str] = set()
        self._number = 0

    def remembered(self, key: str) -> str:
        """The key as the provider sees it: another one once it has forgotten it."""
        self._number += 1
        return f"{key}#{self._number}" if key in self.forgotten else key

    def note(self, key: str, in_doubt: list[str]) -> None:
        """We ask for a charge while these are in doubt."""
        self.asked.add(key)
        if key in self.unlooked:
            self.wrong.append(f"{key} was asked for again without looking")
        self.wrong += [
            f"{key} was asked for while {other} was in doubt" for other in in_doubt if other != key
        ]


class Watched:
    """The provider, as a worker sees it."""

    def __init__(
        self,
        port: PaymentProvider,
        charges: Charges,
        in_doubt: Callable[[], Awaitable[list[str]]],
        event: str,
        *,
        hides: bool = False,
    ) -> None:
        self._port = port
        self._charges = charges
        self._in_doubt = in_doubt
        self._event = event
        #: Whether nothing can be looked up either.
        self._hides = hides

    def __getattr__(self, name: str) -> Any:
        assert not name.startswith(("pay", "charge", "confirm")), f"{name} is not watched"
        return getattr(self._port, name)

    async def list_invoice_attempts(self, invoice_id: str) -> list[AttemptCopy]:
        if self._hides:
            raise ProviderUnreachable
        found = await self._port.list_invoice_attempts(invoice_id)
        if invoice_id == self._charges.invoice_id:
            self._charges.unlooked.clear()
        return found

    async def charge_invoice(self, invoice_id: str, key: str, method: str | None = None) -> Payment:
        charges = self._charges
        if invoice_id != charges.invoice_id:
            # One that came to rest before.
            return await self._port.charge_invoice(invoice_id, key, method)
        charges.note(key, await self._in_doubt())
        does, error = EVENTS[self._event]
        if self._event == "unreachable, charged later":
            charges.later.append((invoice_id, key, method))
        if error is not None and _is_in_doubt(error):
            charges.unlooked.add(key)
        if does:
            answer = await self._port.charge_invoice(invoice_id, charges.remembered(key), method)
        if error is not None:
            raise error
        return answer


class Chosen(Providers):
    """Answers one client for every tenant."""

    def __init__(self, deployment: Deployment, client: Watched) -> None:
        settings = deployment.settings
        super().__init__(settings, deployment.db, Vault(settings.master_keys))
        self._client = client

    async def client(self, tenant_id: UUID) -> PaymentProvider:
        return cast(PaymentProvider, self._client)
