"""Secrets open where they were sealed and nowhere else, under old and new master keys."""

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guichet.db import Database
from tenants.tenant import Tenant
from tenants.vault import Vault, VaultError, secret_names
from tests.merchants import master_key


@pytest.fixture
def vault() -> Vault:
    return Vault([master_key()])


async def _store(db: Database, vault: Vault, tenant: Tenant, name: str, value: str) -> None:
    async with db.unit(tenant.id) as unit:
        await vault.store(unit.connection, tenant.id, name, value)


async def _open(db: Database, vault: Vault, tenant: Tenant, name: str) -> str | None:
    async with db.unit(tenant.id) as unit:
        return await vault.open(unit.connection, tenant.id, name)


async def _rotate(db: Database, vault: Vault, tenant: Tenant) -> int:
    async with db.unit(tenant.id) as unit:
        return await vault.rotate(unit.connection, tenant.id)


async def test_a_secret_is_read_back_and_can_be_replaced(
    db: Database, vault: Vault, lumen: Tenant
) -> None:
    await _store(db, vault, lumen, "stripe_secret_key", "sk_test_été")
    assert await _open(db, vault, lumen, "stripe_secret_key") == "sk_test_été"
    await _store(db, vault, lumen, "stripe_secret_key", "sk_test_2")
    assert await _open(db, vault, lumen, "stripe_secret_key") == "sk_test_2"


async def test_a_secret_that_was_never_set_is_none(
    db: Database, vault: Vault, lumen: Tenant
) -> None:
    assert await _open(db, vault, lumen, "stripe_secret_key") is None


async def test_a_tenant_reads_its_own_secret_of_the_same_name(
    db: Database, vault: Vault, lumen: Tenant, volta: Tenant
) -> None:
    await _store(db, vault, lumen, "key", "of lumen")
    await _store(db, vault, volta, "key", "of volta")
    assert await _open(db, vault, lumen, "key") == "of lumen"
    assert await _open(db, vault, volta, "key") == "of volta"


async def test_another_tenant_s_secret_is_not_there_even_when_it_is_asked_for(
    db: Database, vault: Vault, lumen: Tenant, volta: Tenant
) -> None:
    await _store(db, vault, lumen, "key", "of lumen")
    async with db.unit(volta.id) as unit:
        assert await vault.open(unit.connection, lumen.id, "key") is None


async def test_the_table_holds_no_secret_in_the_clear(
    db: Database, vault: Vault, lumen: Tenant
) -> None:
    await _store(db, vault, lumen, "key", "marker-of-a-secret")
    async with db.unit(lumen.id) as unit:
        row = await unit.fetchval(
            "select secret::text || encode(sealed, 'escape') from secrets as secret"
        )
    assert "marker-of-a-secret" not in row


# Which columns an attacker who writes to the table copies from one row to another.
_COPIES = [
    columns
    for count in (1, 2)
    for columns in itertools.combinations(("sealed", "wrapped_key"), count)
]


@pytest.mark.parametrize("columns", _COPIES)
async def test_a_secret_copied_to_another_name_does_not_open(
    db: Database, vault: Vault, lumen: Tenant, columns: tuple[str, ...]
) -> None:
    await _store(db, vault, lumen, "mine", "one")
    await _store(db, vault, lumen, "theirs", "two")
    sets = ", ".join(f"{column} = source.{column}" for column in columns)
    async with db.unit(lumen.id) as unit:
        await unit.execute(
            f"update secrets as target set {sets} from secrets as source "
            "where target.name = 'theirs' and source.name = 'mine'"
        )
    with pytest.raises(VaultError):
        await _open(db, vault, lumen, "theirs")
    assert await _open(db, vault, lumen, "mine") == "one"


@pytest.mark.parametrize("columns", _COPIES)
async def test_a_secret_copied_to_another_tenant_does_not_open(
    db: Database, vault: Vault, lumen: Tenant, volta: Tenant, columns: tuple[str, ...]
) -> None:
    await _store(db, vault, lumen, "key", "one")
    await _store(db, vault, volta, "key", "two")
    async with db.unit(lumen.id) as unit:
        copied = await unit.fetchrow("select sealed, wrapped_key from secrets")
    assert copied is not None
    async with db.unit(volta.id) as unit:
        for column in columns:
            await unit.execute(f"update secrets set {column} = $1", copied[column])
    with pytest.raises(VaultError):
        await _open(db, vault, volta, "key")


@pytest.mark.parametrize("column", ["sealed", "wrapped_key"])
@pytest.mark.parametrize(
    "forged",
    [
        "set_byte({0}, 0, get_byte({0}, 0) # 1)",
        "set_byte({0}, length({0}) - 1, get_byte({0}, length({0}) - 1) # 128)",
        "substr({0}, 1, 5)",
        "''::bytea",
        "{0} || '\\x00'::bytea",
    ],
)
async def test_a_row_of_which_one_byte_was_altered_does_not_open(
    db: Database, vault: Vault, lumen: Tenant, column: str, forged: str
) -> None:
    await _store(db, vault, lumen, "key", "value")
    async with db.unit(lumen.id) as unit:
        await unit.execute(f"update secrets set {column} = {forged.format(column)}")
    with pytest.raises(VaultError):
        await _open(db, vault, lumen, "key")


async def test_rotation_changes_the_wrapping_and_not_the_sealed_value(
    db: Database, lumen: Tenant
) -> None:
    old, new = master_key(), master_key()
    await _store(db, Vault([old]), lumen, "key", "value")
    read = "select sealed, wrapped_key, master_key_id from secrets"
    async with db.unit(lumen.id) as unit:
        before = await unit.fetchrow(read)
    assert await _rotate(db, Vault([new, old]), lumen) == 1
    async with db.unit(lumen.id) as unit:
        after = await unit.fetchrow(read)
    assert before is not None
    assert after is not None
    assert before["sealed"] == after["sealed"]
    assert before["wrapped_key"] != after["wrapped_key"]
    assert after["master_key_id"] == Vault([new]).current
    assert await _open(db, Vault([new]), lumen, "key") == "value"


async def test_rotating_again_does_nothing(db: Database, lumen: Tenant) -> None:
    old, new = master_key(), master_key()
    await _store(db, Vault([old]), lumen, "key", "value")
    vault = Vault([new, old])
    assert [await _rotate(db, vault, lumen) for _ in range(2)] == [1, 0]


async def test_a_secret_under_an_unknown_master_key_names_that_key_and_no_other(
    db: Database, vault: Vault, lumen: Tenant
) -> None:
    lost = Vault([master_key()])
    await _store(db, lost, lumen, "key", "value")
    with pytest.raises(VaultError, match=lost.current):
        await _open(db, vault, lumen, "key")
    with pytest.raises(VaultError, match=lost.current):
        await _rotate(db, vault, lumen)


async def _read_until(
    done: asyncio.Event, db: Database, vault: Vault, tenant: Tenant, names: list[str]
) -> None:
    while not done.is_set():
        for name in names:
            value = await _open(db, vault, tenant, name)
            assert value is not None
            assert value.startswith(f"{name} ")


async def test_no_read_fails_while_keys_rotate_and_secrets_are_replaced(
    db: Database, lumen: Tenant
) -> None:
    keys = [master_key(), master_key()]
    vaults = [Vault(keys), Vault(keys[::-1])]
    names = [f"key{number}" for number in range(4)]

    async def replace(count: int) -> None:
        for name in names:
            await _store(db, vaults[count % 2], lumen, name, f"{name} {count}")

    await replace(0)
    done = asyncio.Event()
    readers = [asyncio.create_task(_read_until(done, db, vault, lumen, names)) for vault in vaults]
    async with asyncio.timeout(60):
        for count in range(1, 30):
            await asyncio.gather(replace(count), _rotate(db, vaults[count // 2 % 2], lumen))
        done.set()
        await asyncio.gather(*readers)
    assert await _open(db, vaults[0], lumen, names[-1]) == f"{names[-1]} 29"


async def test_a_secret_replaced_during_a_rotation_stays_replaced(
    db: Database, lumen: Tenant
) -> None:
    old, new = master_key(), master_key()
    await _store(db, Vault([old]), lumen, "key", "before")
    vault = Vault([new, old])
    async with db.unit(lumen.id) as replacing:
        await vault.store(replacing.connection, lumen.id, "key", "after")
        # The rotation has read the row as it was and waits for the replacement's lock.
        rotation = asyncio.create_task(_rotate(db, vault, lumen))
        await asyncio.sleep(0.2)
    assert await rotation == 0
    assert await _open(db, vault, lumen, "key") == "after"


async def test_only_names_are_listed(db: Database, vault: Vault, lumen: Tenant) -> None:
    await _store(db, vault, lumen, "b", "value")
    await _store(db, vault, lumen, "a", "value")
    async with db.unit(lumen.id) as unit:
        assert await secret_names(unit.connection, lumen.id) == ["a", "b"]


@pytest.mark.parametrize(
    "key",
    ["", "short", "AAAA", "not base64 at all!" * 3, "QUFB" * 10, "QUFB" * 11 + "QQ=="],
    ids=["empty", "short", "3 bytes", "not base64", "30 bytes", "34 bytes"],
)
def test_a_master_key_that_is_not_32_bytes_in_base64_is_refused_without_being_shown(
    key: str,
) -> None:
    with pytest.raises(VaultError, match="master key 2 is not 32 bytes in base64") as refused:
        Vault([master_key(), key])
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


def test_a_vault_needs_a_master_key() -> None:
    with pytest.raises(VaultError):
        Vault([])


def test_a_vault_shows_no_key() -> None:
    key = master_key()
    vault = Vault([key])
    assert key not in f"{vault!r} {vault} {vars(vault)}"
    assert vault.current in repr(vault)


@given(key=st.text(min_size=8, max_size=60))
def test_text_that_is_no_key_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(VaultError) as refused:
        Vault([key])
    assert key not in str(refused.value)
