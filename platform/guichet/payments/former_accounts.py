"""Accounts that a tenant had before: what delivers from there is removed with the key of then.

The key is set aside in the unit that replaces it, and forgotten with the last endpoint, or when the
provider does not accept it any more. Then the console names what a person has to remove. In each
unit an account's row comes before its key, in the order of locks.
"""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import structlog

from guichet.audit import Actor, record
from guichet.db import Database, Unit
from guichet.payments.answers import Endpoint
from guichet.payments.choose import SECRET_KEY, Providers
from guichet.payments.endpoints import remove_endpoints
from guichet.payments.errors import ProviderError, ProviderKeyRejected
from tenants.vault import Vault, VaultError

log = structlog.get_logger()

#: How long a provider that does not answer is asked for.
_PATIENCE = timedelta(days=7)
_AGAIN_AFTER = timedelta(minutes=10)


class FormerAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account of which it is not known that nothing is delivered from it any more."""

    account_id: str
    mode: str
    account_name: str | None
    #: The endpoint there, as far as it is known.
    endpoint_id: str | None
    url: str | None
    left_at: datetime
    #: None once nobody tries to remove the endpoint but a person.
    due_at: datetime | None


async def leave_account(
    unit: Unit, vault: Vault, account_id: str, mode: str, *, with_key: bool
) -> None:
    """Note that an account is left; `with_key` sets the present key aside, if it is that one's."""
    try:
        key = await vault.open(unit.connection, unit.tenant_id, SECRET_KEY) if with_key else None
    except VaultError:
        key = None
    await unit.execute(
        """
        insert into former_accounts
          (tenant_id, account_id, mode, account_name, endpoint_id, url, due_at)
        select $1, $2, $3, account.account_name, endpoint.endpoint_id, endpoint.url, now()
        from provider_accounts as account
        left join provider_endpoints as endpoint
          on endpoint.tenant_id = account.tenant_id
        where account.tenant_id = $1
        on conflict (tenant_id, account_id, mode) do update
        set
          endpoint_id = excluded.endpoint_id,
          url = excluded.url,
          left_at = now(),
          due_at = now()
        """,
        unit.tenant_id,
        account_id,
        mode,
    )
    if key is not None:
        name = _secret_of(account_id, mode)
        await vault.store(unit.connection, unit.tenant_id, name, key)


async def return_to_account(unit: Unit, vault: Vault, account_id: str, mode: str) -> bool:
    """Forget that an account was left: it is the present one again, or a person has seen to it."""
    was_there = await unit.fetchval(
        """
        delete from former_accounts
        where tenant_id = $1
        and account_id = $2
        and mode = $3
        returning true
        """,
        unit.tenant_id,
        account_id,
        mode,
    )
    await vault.remove(unit.connection, unit.tenant_id, _secret_of(account_id, mode))
    return bool(was_there)


async def former_accounts(unit: Unit) -> list[FormerAccount]:
    """The unit's tenant's, the last one first."""
    rows = await unit.fetch(
        """
        select account_id, mode, account_name, endpoint_id, url, left_at, due_at
        from former_accounts
        where tenant_id = $1
        order by left_at desc, account_id, mode
        """,
        unit.tenant_id,
    )
    return [FormerAccount(**row) for row in rows]


class Leaving:
    """Removes what delivers to one tenant from accounts that it has left; `url` is where to."""

    def __init__(
        self, db: Database, vault: Vault, providers: Providers, tenant_id: UUID, url: str
    ) -> None:
        self._db = db
        self._vault = vault
        self._providers = providers
        self._tenant_id = tenant_id
        self._url = url

    async def finish(self, by: Actor, request_id: str) -> None:
        """Try each account that is due once; never raises for the provider."""
        for account in await self._take_turn():
            try:
                removed = await self._remove(account)
            except (ProviderKeyRejected, VaultError):
                await self._give_up(account)
            except ProviderError as error:
                log.info("former_account_away", tenant=str(self._tenant_id), reason=error.code)
                if datetime.now(account.left_at.tzinfo) - account.left_at > _PATIENCE:
                    await self._give_up(account)
            else:
                if removed is not None:
                    await self._forget(account, removed, by, request_id)

    async def _take_turn(self) -> list[FormerAccount]:
        """Of several who come at the same time one gets each account."""
        async with self._db.unit(self._tenant_id) as unit:
            rows = await unit.fetch(
                """
                update former_accounts
                set due_at = now() + $2::interval
                where tenant_id = $1
                and due_at <= now()
                returning account_id, mode, account_name, endpoint_id, url, left_at, due_at
                """,
                self._tenant_id,
                _AGAIN_AFTER,
            )
        return [FormerAccount(**row) for row in rows]

    async def _remove(self, account: FormerAccount) -> list[Endpoint] | None:
        """Remove what delivers here; None where the account is the present one again.

        Raises `ProviderKeyRejected` where there is no key for it.
        """
        name = _secret_of(account.account_id, account.mode)
        async with self._db.unit(self._tenant_id) as unit:
            key = await self._vault.open(unit.connection, self._tenant_id, name)
        if key is None:
            raise ProviderKeyRejected
        provider = await self._providers.trial(key)
        known = await provider.list_endpoints()
        if not await self._is_left(account):
            return None
        # Should it become the present one again from now on, what is made there is not in `known`.
        return await remove_endpoints(provider, self._tenant_id, self._url, known)

    async def _is_left(self, account: FormerAccount) -> bool:
        async with self._db.unit(self._tenant_id) as unit:
            left = await unit.fetchval(
                """
                select true
                from former_accounts
                where tenant_id = $1
                and account_id = $2
                and mode = $3
                and left_at = $4
                """,
                self._tenant_id,
                account.account_id,
                account.mode,
                account.left_at,
            )
        return bool(left)

    async def _give_up(self, account: FormerAccount) -> None:
        """Leave it to a person, and forget the key."""
        name = _secret_of(account.account_id, account.mode)
        async with self._db.unit(self._tenant_id) as unit:
            given_up = await unit.fetchval(
                """
                update former_accounts
                set due_at = null
                where tenant_id = $1
                and account_id = $2
                and mode = $3
                and left_at = $4
                returning true
                """,
                self._tenant_id,
                account.account_id,
                account.mode,
                account.left_at,
            )
            if given_up:
                await self._vault.remove(unit.connection, self._tenant_id, name)

    async def _forget(
        self, account: FormerAccount, removed: list[Endpoint], by: Actor, request_id: str
    ) -> None:
        """Unless it was left once more meanwhile: then there may be something new."""
        name = _secret_of(account.account_id, account.mode)
        async with self._db.unit(self._tenant_id) as unit:
            forgotten = await unit.fetchval(
                """
                delete from former_accounts
                where tenant_id = $1
                and account_id = $2
                and mode = $3
                and left_at = $4
                returning true
                """,
                self._tenant_id,
                account.account_id,
                account.mode,
                account.left_at,
            )
            if forgotten:
                await self._vault.remove(unit.connection, self._tenant_id, name)
            for it in removed:
                details: dict[str, object] = {"account": account.account_id, "url": it.url}
                await record(unit, *by, "webhook_endpoint.removed", it.id, details, request_id)


def _secret_of(account_id: str, mode: str) -> str:
    """The vault's name of the key of an account that was left."""
    return f"{SECRET_KEY}_of:{account_id}:{mode}"
