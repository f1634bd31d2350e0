"""A merchant's key looked at before it is kept: whose it is, and whether it may do enough."""

import re
from typing import Literal

import msgspec

from guichet.audit import Actor, record
from guichet.db import Unit
from guichet.payments.answers import Account
from guichet.payments.choose import SECRET_KEY, Providers
from guichet.payments.endpoints import order_endpoint
from guichet.payments.errors import ProviderKeyRejected
from guichet.payments.former_accounts import leave_account, return_to_account
from tenants.vault import Vault

#: A secret or restricted key of either mode.
#: Source: https://docs.stripe.com/keys, "API keys".
_KEY = re.compile(r"[sr]k_(test|live)_[A-Za-z0-9_]{4,240}", re.ASCII)
#: The permission without which a key does not say whose it is.
_ACCOUNT = "Account: Read"

Mode = Literal["test", "live"]
Fault = Literal["malformed", "publishable", "unknown", "lacking", "other_account"]


class KeyRefused(Exception):
    """The key is not kept; `fault` says why. It is nowhere in here."""

    def __init__(
        self, fault: Fault, missing: tuple[str, ...] = (), account: Account | None = None
    ) -> None:
        super().__init__(fault)
        self.fault: Fault = fault
        #: What the key may not do.
        self.missing = missing
        #: Whose key it is, where it is another account's than before.
        self.account = account


class CheckedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that was tried, and what is known of it."""

    key: str
    mode: Mode
    account: Account

    def __repr__(self) -> str:
        """Names no key: a traceback may print this."""
        return f"<CheckedKey {self.mode} {self.account.id}>"


class KnownAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Whose key a tenant has."""

    mode: Mode
    #: The key's last four characters.
    key_end: str
    account_id: str
    account_name: str | None
    set_by: str


async def check_key(providers: Providers, text: str) -> CheckedKey:
    """Try a key: its shape, its account, and each permission in a way that changes nothing.

    Raises `KeyRefused`, or a `ProviderError` where the provider does not answer.
    """
    key = text.strip()
    if key.startswith("pk_"):
        raise KeyRefused("publishable")
    shape = _KEY.fullmatch(key)
    if shape is None:
        raise KeyRefused("malformed")
    client = await providers.trial(key)
    account: Account | None = None
    try:
        account = await client.account()
    except ProviderKeyRejected as error:
        if not error.known:
            raise KeyRefused("unknown") from None
    missing = await client.lacking()
    if account is None:
        raise KeyRefused("lacking", (_ACCOUNT, *missing))
    if missing:
        raise KeyRefused("lacking", missing)
    mode: Mode = "live" if shape[1] == "live" else "test"
    return CheckedKey(key=key, mode=mode, account=account)


async def known_account(unit: Unit) -> KnownAccount | None:
    """Whose key the unit's tenant has; None where it has none, or one set in another way."""
    row = await unit.fetchrow(
        """
        select
          account.mode,
          account.key_end,
          account.account_id,
          account.account_name,
          account.set_by
        from provider_accounts as account
        join provider_connections as connection
          on connection.tenant_id = account.tenant_id
          and connection.key_set_at = account.key_set_at
        where account.tenant_id = $1
        """,
        unit.tenant_id,
    )
    return KnownAccount(**row) if row else None


async def keep_key(
    unit: Unit, vault: Vault, checked: CheckedKey, by: Actor, request_id: str, *, confirmed: bool
) -> None:
    """Seal a checked key in place of the one before, and order an endpoint, with its audit row.

    Raises `KeyRefused` where it is another account's, or of another mode, than the one before, and
    nobody has confirmed that: what customers see would be another account's from then on.
    """
    before = await _former(unit)
    is_same = before is None or before == (checked.account.id, checked.mode)
    if not is_same and not confirmed:
        raise KeyRefused("other_account", account=checked.account)
    if before is not None and not is_same:
        is_known = await known_account(unit) is not None
        await leave_account(unit, vault, *before, with_key=is_known)
    await return_to_account(unit, vault, checked.account.id, checked.mode)
    await vault.store(unit.connection, unit.tenant_id, SECRET_KEY, checked.key)
    await _note(unit, checked, by.name)
    await order_endpoint(unit, anew=not is_same)
    details: dict[str, object] = {
        "before": {"account": before[0], "mode": before[1]} if before else None,
        "after": {"account": checked.account.id, "mode": checked.mode, "end": checked.key[-4:]},
    }
    await record(unit, *by, "provider_key.set", checked.account.id, details, request_id)


async def _former(unit: Unit) -> tuple[str, str] | None:
    """Account and mode of the last key of which they are known; locked until the commit."""
    row = await unit.fetchrow(
        """
        select account_id, mode
        from provider_accounts
        where tenant_id = $1
        for update
        """,
        unit.tenant_id,
    )
    return (row["account_id"], row["mode"]) if row else None


async def _note(unit: Unit, checked: CheckedKey, set_by: str) -> None:
    await unit.execute(
        """
        insert into provider_accounts
          (tenant_id, key_set_at, mode, key_end, account_id, account_name, set_by)
        select $1, connection.key_set_at, $2, $3, $4, $5, $6
        from provider_connections as connection
        where connection.tenant_id = $1
        on conflict (tenant_id) do update
        set
          key_set_at = excluded.key_set_at,
          mode = excluded.mode,
          key_end = excluded.key_end,
          account_id = excluded.account_id,
          account_name = excluded.account_name,
          set_by = excluded.set_by
        """,
        unit.tenant_id,
        checked.mode,
        checked.key[-4:],
        checked.account.id,
        checked.account.name,
        set_by,
    )
