"""A year of the payment sandbox: customers who renew every month, over its API and its clocks.

`python -m benchmarks.sandbox_year [customers]` measures it alone.
"""

import asyncio
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.figures import Figures, Line
from guichet.embedded.programs import Program, free_port

_START, _DAY = 1_769_851_800, 86_400
_RENEWALS = 11
_AT_A_TIME = 8
_BAR_SECONDS = 60.0
_PATIENCE = 30


def measure_sandbox_year(figures: Figures, customers: int = 1_000) -> None:
    """Let so many customers begin a subscription and pay twelve invoices each."""
    port = free_port()
    command = (sys.executable, "-m", "stripe_sandbox", "--port", str(port))
    with tempfile.TemporaryDirectory() as home:
        place = Path(home)
        program = Program("sandbox", command, record=place / "record", log=place / "log")
        program.start()
        try:
            program.wait_until(lambda: _answers(port), _PATIENCE)
            started = time.monotonic()
            paid = asyncio.run(_live_a_year(f"http://127.0.0.1:{port}", customers))
            seconds = time.monotonic() - started
            cost = psutil.Process(program.pid).cpu_times()
        finally:
            program.stop()
    if paid != customers * (_RENEWALS + 1):
        raise RuntimeError(f"{paid} invoices were paid")
    figures.put("sandbox_year_customers", customers)
    figures.put("sandbox_year_seconds", seconds)
    figures.put("sandbox_year_cpu_seconds", cost.user + cost.system)
    bar = _BAR_SECONDS * customers / 1_000
    figures.lines.append(
        Line(
            f"sandbox: a year of {customers} customers",
            f"{seconds:.1f} s, {cost.user + cost.system:.1f} s of processor",
            bar=f"{bar:.0f} s",
            met=seconds <= bar,
        )
    )


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
    except OSError:
        return False
    return True


async def _live_a_year(url: str, customers: int) -> int:
    """How many invoices were paid in the year."""
    key = {"authorization": "Bearer sk_test_sandbox_year"}
    async with httpx.AsyncClient(base_url=f"{url}/v1", headers=key, timeout=_PATIENCE) as api:
        clock = (await _post(api, "/test_helpers/test_clocks", {"frozen_time": _START}))["id"]
        price = await _post(
            api,
            "/prices",
            {
                "currency": "usd",
                "unit_amount": 1_000,
                "recurring[interval]": "month",
                "product_data[name]": "Basic",
            },
        )
        places = asyncio.Semaphore(_AT_A_TIME)

        async def subscribe() -> None:
            async with places:
                await _subscribe(api, clock, price["id"])

        await asyncio.gather(*(subscribe() for _ in range(customers)))
        for month in range(1, _RENEWALS + 1):
            # A day after each renewal its invoice has been finalized and charged.
            await _advance(api, clock, _START + (31 * month + 1) * _DAY)
        return await _paid(api)


async def _post(api: httpx.AsyncClient, path: str, form: dict[str, Any]) -> dict[str, Any]:
    answer = await api.post(path, data=form)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


async def _subscribe(api: httpx.AsyncClient, clock: str, price: str) -> None:
    card = "pm_card_visa"
    customer = await _post(
        api,
        "/customers",
        {
            "test_clock": clock,
            "payment_method": card,
            "invoice_settings[default_payment_method]": card,
        },
    )
    await _post(api, "/subscriptions", {"customer": customer["id"], "items[0][price]": price})


async def _advance(api: httpx.AsyncClient, clock: str, to: int) -> None:
    path = f"/test_helpers/test_clocks/{clock}"
    status = (await _post(api, f"{path}/advance", {"frozen_time": to}))["status"]
    while status == "advancing":
        await asyncio.sleep(0.05)
        status = (await api.get(path)).json()["status"]
    if status != "ready":
        raise RuntimeError(f"the clock is {status}")


async def _paid(api: httpx.AsyncClient) -> int:
    params, found = {"limit": "100", "status": "paid"}, 0
    while True:
        page = (await api.get("/invoices", params=params)).json()
        found += len(page["data"])
        if not page["has_more"]:
            return found
        params["starting_after"] = page["data"][-1]["id"]


if __name__ == "__main__":
    measured = Figures()
    measure_sandbox_year(measured, int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
    print(measured.table())
