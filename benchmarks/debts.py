"""Invoices that customers owe, at the sandbox and in the mirror, each with a case of ours."""

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec

from benchmarks.cases import write_cases
from benchmarks.machine import SUPERUSER, Machine
from benchmarks.seed import Seeded, write_tenants
from guichet.payments.choose import SECRET_KEY
from tenants.retries import RetryPolicy
from tenants.vault import Vault

_MIRROR = Path(__file__).with_name("debts.sql")
_AT_A_TIME = 8
_PATIENCE = 60
#: The first failure is two days old, so the first retry is due.
_POLICY = RetryPolicy(collector="guichet", waits_days=(1, 3, 5), tries=3, window_days=14)
#: The next charge of every other card succeeds; the others are declined again.
_CARDS = ("pm_card_visa", "pm_card_chargeCustomerFail")


class Debt(msgspec.Struct, frozen=True):
    """What the provider calls the parts of one customer's debt."""

    customer_id: str
    payment_method_id: str
    subscription_id: str
    invoice_id: str
    payment_intent_id: str


class Debtors(msgspec.Struct, frozen=True):
    """A tenant, and the debts of its customers."""

    tenant: Seeded
    debts: list[Debt]


async def owe(
    machine: Machine, database: str, sandbox: str, numbers: Sequence[int], debts: int, cases: int
) -> list[Debtors]:
    """Tenants in an empty database, each with so many customers whose first payment failed.

    Nobody looks at their cases before `wake_at` is set. Between them the tenants have `cases` more
    that are not due. Of two databases the tenants have other numbers, and so accounts of their own.
    """
    owing = [Debtors(Seeded(number), await _owe(sandbox, number, debts)) for number in numbers]
    connection = await asyncpg.connect(machine.postgres.url(SUPERUSER, database))
    try:
        async with connection.transaction():
            await write_tenants(connection, [each.tenant for each in owing])
            vault = Vault([machine.master_key])
            for each in owing:
                key = _key(each.tenant.number)
                await vault.store(connection, each.tenant.id, SECRET_KEY, key)
            await _write_mirror(connection, owing)
        share = cases // len(owing)
        await write_cases(connection, [(each.tenant.id, share, 0) for each in owing])
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()
    return owing


def _key(number: int) -> str:
    return f"sk_test_debts_{number}"


async def _owe(url: str, number: int, count: int) -> list[Debt]:
    headers = {"authorization": f"Bearer {_key(number)}"}
    async with httpx.AsyncClient(
        base_url=url, headers=headers, timeout=_PATIENCE, trust_env=False
    ) as api:
        price = await _post(
            api,
            "/v1/prices",
            {
                "currency": "eur",
                "unit_amount": 2_400,
                "recurring[interval]": "month",
                "product_data[name]": "Studio",
            },
        )
        await _fail_charges(api, count)
        cards = itertools.islice(itertools.cycle(_CARDS), count)
        places = asyncio.Semaphore(_AT_A_TIME)

        async def one(card: str) -> Debt:
            async with places:
                return await _subscribe(api, price["id"], card)

        made = await asyncio.gather(*(one(card) for card in cards))
        await _fail_charges(api, 0)
        return made


async def _fail_charges(api: httpx.AsyncClient, count: int) -> None:
    switches = {"fail_next_charges": count, "fail_with": "insufficient_funds"}
    (await api.post("/_control/settings", json=switches)).raise_for_status()


async def _subscribe(api: httpx.AsyncClient, price: str, card: str) -> Debt:
    default = {"payment_method": card, "invoice_settings[default_payment_method]": card}
    customer = await _post(api, "/v1/customers", default)
    subscription = await _post(
        api,
        "/v1/subscriptions",
        {
            "customer": customer["id"],
            "items[0][price]": price,
            "expand[0]": "latest_invoice.payments",
        },
    )
    invoice = subscription["latest_invoice"]
    return Debt(
        customer_id=customer["id"],
        payment_method_id=customer["invoice_settings"]["default_payment_method"],
        subscription_id=subscription["id"],
        invoice_id=invoice["id"],
        payment_intent_id=invoice["payments"]["data"][0]["payment"]["payment_intent"],
    )


async def _post(api: httpx.AsyncClient, path: str, form: dict[str, Any]) -> dict[str, Any]:
    answer = await api.post(path, data=form)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


async def _write_mirror(
    connection: "asyncpg.Connection[asyncpg.Record]", owing: list[Debtors]
) -> None:
    await connection.execute(
        """
        create temporary table debts (
          tenant_id uuid,
          customer_id text,
          payment_method_id text,
          subscription_id text,
          invoice_id text,
          payment_intent_id text
        )
        """
    )
    await connection.copy_records_to_table("debts", records=list(_records(owing)))
    await connection.execute(
        "update configurations set document = document || jsonb_build_object('retries', $1::jsonb)",
        msgspec.json.encode(_POLICY).decode(),
    )
    await connection.execute(_MIRROR.read_text())


def _records(owing: list[Debtors]) -> Iterator[tuple[object, ...]]:
    for each in owing:
        for debt in each.debts:
            yield (each.tenant.id, *msgspec.structs.astuple(debt))
