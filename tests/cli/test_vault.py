"""`guichet vault rotate`."""

from guichet.db import Database
from guichet.settings import Settings
from tenants.tenant import list_tenants
from tenants.vault import Vault
from tests.cli.commands import Guichet
from tests.merchants import master_key


def _counts(secrets: int, tenants: int) -> str:
    return f"secrets rotated  {secrets}\nof tenants       {tenants}\n"


async def _two_tenants_with_a_secret_each(guichet: Guichet) -> None:
    await guichet("agency", "add", "atelier", "Atelier")
    for slug in ("lumen", "volta"):
        await guichet("tenant", "add", slug, slug.title(), "--agency", "atelier")
        await guichet("tenant", "set-key", slug, "stripe_secret_key", stdin=f"of {slug}")
    await guichet("tenant", "add", "marmite", "Marmite", "--agency", "atelier")


async def test_all_secrets_come_under_the_first_key_and_the_old_one_can_go(
    guichet: Guichet, db: Database, deployed: Settings
) -> None:
    await _two_tenants_with_a_secret_each(guichet)
    new = master_key()
    keys = f"{new},{deployed.master_keys[0]}"
    rotated = await guichet("vault", "rotate", GUICHET_MASTER_KEY=keys)
    assert (rotated.exit_code, rotated.output) == (0, _counts(2, 2))
    again = await guichet("vault", "rotate", GUICHET_MASTER_KEY=new)
    assert again.output == _counts(0, 0)
    async with db.system() as connection:
        tenants = await list_tenants(connection)
    for tenant in tenants:
        async with db.unit(tenant.id) as unit:
            value = await Vault([new]).open(unit.connection, tenant.id, "stripe_secret_key")
            assert value == (None if tenant.slug == "marmite" else f"of {tenant.slug}")


async def test_a_key_that_is_missing_is_told_for_each_tenant_and_the_others_are_done(
    guichet: Guichet, deployed: Settings
) -> None:
    await _two_tenants_with_a_secret_each(guichet)
    other, new = master_key(), master_key()
    await guichet(
        "tenant", "set-key", "lumen", "stripe_secret_key", stdin="x", GUICHET_MASTER_KEY=other
    )
    keys = f"{new},{deployed.master_keys[0]}"
    rotated = await guichet("vault", "rotate", GUICHET_MASTER_KEY=keys)
    assert rotated.exit_code == 1
    assert rotated.stdout == _counts(1, 1)
    assert "lumen: the secret stripe_secret_key is sealed under master key " in rotated.stderr
    assert Vault([other]).current in rotated.stderr
    assert other not in rotated.output


async def test_a_master_key_that_is_none_is_refused_and_not_shown(guichet: Guichet) -> None:
    result = await guichet("vault", "rotate", GUICHET_MASTER_KEY="marker")
    assert result.exit_code == 1
    assert "32 bytes in base64" in result.stderr
    assert "marker" not in result.output
