"""`guichet tenant`."""

import asyncio
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from guichet.db import Database
from guichet.settings import Settings
from tenants.tenant import find_tenant
from tenants.vault import Vault
from tests.cli.commands import Guichet, environ_of


@pytest.fixture
async def lumen(guichet: Guichet) -> None:
    """The tenant lumen of the agency atelier."""
    await guichet("agency", "add", "atelier", "Atelier")
    added = await guichet("tenant", "add", "lumen", "Lumen SaaS", "--agency", "atelier")
    assert added.output == "added tenant lumen at http://lumen.localhost:8000/\n"


async def _show(guichet: Guichet) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads((await guichet("tenant", "show", "lumen", "--json")).stdout)
    return shown


async def _secret(db: Database, settings: Settings, name: str) -> str | None:
    async with db.system() as connection:
        tenant = await find_tenant(connection, "lumen")
    async with db.unit(tenant.id) as unit:
        return await Vault(settings.master_keys).open(unit.connection, tenant.id, name)


@pytest.mark.usefixtures("lumen")
async def test_tenants_are_listed_of_all_or_of_one_agency(guichet: Guichet) -> None:
    await guichet("agency", "add", "bureau", "Bureau")
    await guichet("tenant", "add", "volta", "Volta", "--agency", "bureau")
    everybody = (await guichet("tenant", "list")).output.splitlines()
    assert [line.split()[0] for line in everybody] == ["TENANT", "lumen", "volta"]
    assert everybody[1].startswith("lumen   Lumen SaaS  atelier  active  -        20")
    some = json.loads((await guichet("tenant", "list", "--agency", "bureau", "--json")).stdout)
    assert [it["slug"] for it in some] == ["volta"]
    unknown = await guichet("tenant", "list", "--agency", "nobody")
    assert (unknown.exit_code, unknown.stderr) == (1, "Error: there is no agency nobody\n")


@pytest.mark.usefixtures("lumen")
async def test_a_tenant_is_shown_with_all_it_has(guichet: Guichet) -> None:
    await guichet("tenant", "set-key", "lumen", "stripe_secret_key", stdin="sk_test_marker\n")
    await guichet("tenant", "host", "add", "lumen", "pay.lumen.example")
    shown = await guichet("tenant", "show", "lumen")
    assert {
        "agency             atelier",
        "address            http://lumen.localhost:8000/",
        "custom hosts       -",
        "unverified hosts   pay.lumen.example",
        "published version  -",
        "secrets            stripe_secret_key",
    } <= set(shown.output.splitlines())
    assert "marker" not in shown.output


async def test_an_unknown_tenant_ends_every_command_with_a_reason(
    guichet: Guichet, tmp_path: Path
) -> None:
    document = tmp_path / "portal.json"
    document.write_text("{}")
    for args in (
        ("show", "nobody"),
        ("suspend", "nobody"),
        ("resume", "nobody"),
        ("publish", "nobody", str(document)),
        ("host", "add", "nobody", "pay.example"),
        ("host", "verify", "nobody", "pay.example"),
        ("host", "remove", "nobody", "pay.example"),
        ("set-key", "nobody", "stripe_secret_key"),
    ):
        result = await guichet("tenant", *args, stdin="secret")
        assert (result.exit_code, result.stderr) == (1, "Error: there is no tenant nobody\n"), args


@pytest.mark.usefixtures("lumen")
async def test_a_tenant_is_suspended_and_resumed(guichet: Guichet) -> None:
    assert (await guichet("tenant", "suspend", "lumen")).output == "lumen is now suspended\n"
    assert (await guichet("tenant", "suspend", "lumen")).output == "lumen is already suspended\n"
    assert (await _show(guichet))["status"] == "suspended"
    assert (await guichet("tenant", "resume", "lumen")).output == "lumen is now active\n"
    assert (await _show(guichet))["status"] == "active"


@pytest.mark.usefixtures("lumen")
async def test_a_secret_comes_by_standard_input_and_is_sealed(
    guichet: Guichet, db: Database, deployed: Settings
) -> None:
    for name in ("stripe_secret_key", "stripe_webhook_secret", "oidc:work"):
        result = await guichet("tenant", "set-key", "lumen", name, stdin=f"value of {name}\r\n")
        assert (result.exit_code, result.output) == (0, f"set {name} of lumen\n")
        assert await _secret(db, deployed, name) == f"value of {name}"


@pytest.mark.usefixtures("lumen")
@pytest.mark.parametrize("stdin", ["", "\n", "a\nb\n", " a", "a ", "a\x00b", "x" * 10_001])
async def test_what_cannot_be_a_secret_is_refused(
    guichet: Guichet, db: Database, deployed: Settings, stdin: str
) -> None:
    result = await guichet("tenant", "set-key", "lumen", "stripe_secret_key", stdin=stdin)
    assert result.exit_code == 1
    assert await _secret(db, deployed, "stripe_secret_key") is None


@pytest.mark.usefixtures("lumen")
@pytest.mark.parametrize("name", ["sk_test_pasted", "stripe_key", "oidc:", "oidc:../x"])
async def test_a_secret_of_a_name_that_nothing_reads_is_refused(
    guichet: Guichet, name: str
) -> None:
    result = await guichet("tenant", "set-key", "lumen", name, stdin="value")
    assert result.exit_code == 2
    assert (await _show(guichet))["secrets"] == []


async def test_a_secret_is_no_argument(guichet: Guichet) -> None:
    result = await guichet("tenant", "set-key", "lumen", "stripe_secret_key", "sk_test_1")
    assert result.exit_code == 2


def _type_secret(settings: Settings, secret: bytes) -> bytes:
    """Set a key on a terminal of its own; answers all that was to be seen there."""
    terminal, inside = pty.openpty()
    command = subprocess.Popen(
        [sys.executable, "-m", "guichet.cli", "tenant", "set-key", "lumen", "oidc:work"],
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
        env={**os.environ, **environ_of(settings)},
    )
    os.close(inside)
    shown = b""
    try:
        while b"Secret: " not in shown:
            shown += os.read(terminal, 1000)
        os.write(terminal, secret + b"\n")
        while b"set oidc:work of lumen" not in shown:
            shown += os.read(terminal, 1000)
        assert command.wait(timeout=20) == 0
    finally:
        command.kill()
        os.close(terminal)
    return shown


@pytest.mark.usefixtures("lumen")
async def test_on_a_terminal_the_secret_is_asked_for_and_not_echoed(
    db: Database, deployed: Settings
) -> None:
    shown = await asyncio.wait_for(asyncio.to_thread(_type_secret, deployed, b"marker"), 60)
    assert b"marker" not in shown
    assert await _secret(db, deployed, "oidc:work") == "marker"


@pytest.mark.usefixtures("lumen")
async def test_a_configuration_is_published_from_a_file_or_standard_input(
    guichet: Guichet, tmp_path: Path
) -> None:
    document = tmp_path / "portal.json"
    document.write_text('{"locale": "fr"}')
    first = await guichet("tenant", "publish", "lumen", str(document), "--reason", "French")
    second = await guichet("tenant", "publish", "lumen", "-", stdin="{}")
    assert [first.output, second.output] == [
        "published version 1 of lumen\n",
        "published version 2 of lumen\n",
    ]
    assert (await _show(guichet))["published_version"] == 2


@pytest.mark.usefixtures("lumen")
async def test_a_configuration_with_mistakes_is_not_published_and_all_are_named(
    guichet: Guichet,
) -> None:
    document = '{"lokale": "fr", "branding": {"radius": "x"}, "plans": [{}]}'
    result = await guichet("tenant", "publish", "lumen", "-", stdin=document)
    assert result.exit_code == 1
    assert "lokale: There is no such field." in result.stderr
    assert "branding.radius: Write a whole number." in result.stderr
    assert "plans[0].price_id: This is missing." in result.stderr
    assert (await _show(guichet))["published_version"] is None


@pytest.mark.usefixtures("lumen")
async def test_a_picture_is_kept_for_the_branding(guichet: Guichet, tmp_path: Path) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    picture = (await guichet("tenant", "add-picture", "lumen", str(logo))).output.strip()
    document = json.dumps({"branding": {"logo": picture}})
    published = await guichet("tenant", "publish", "lumen", "-", stdin=document)
    assert published.exit_code == 0
    logo.write_text("<svg><script/></svg>")
    assert (await guichet("tenant", "add-picture", "lumen", str(logo))).exit_code == 1


@pytest.mark.usefixtures("lumen")
async def test_a_custom_domain_is_added_verified_and_removed(guichet: Guichet) -> None:
    added = await guichet("tenant", "host", "add", "lumen", "Pay.Lumen.Example.")
    assert added.output == "added pay.lumen.example to lumen, not verified yet\n"
    assert (await _show(guichet))["unverified_hosts"] == ["pay.lumen.example"]
    again = await guichet("tenant", "host", "add", "lumen", "pay.lumen.example")
    assert again.exit_code == 1
    await guichet("tenant", "host", "verify", "lumen", "pay.lumen.example")
    shown = await _show(guichet)
    assert shown["custom_hosts"] == ["pay.lumen.example"]
    assert shown["address"] == "http://pay.lumen.example:8000/"
    await guichet("tenant", "host", "remove", "lumen", "pay.lumen.example")
    assert (await _show(guichet))["custom_hosts"] == []
    own = await guichet("tenant", "host", "add", "lumen", "volta.localhost")
    assert own.exit_code == 1
