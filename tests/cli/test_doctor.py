"""The doctor: each fault is named, with what to do about it."""

import msgspec
import pytest
from click.testing import CliRunner

from guichet.cli import main
from guichet.cli.checks import CHECKS
from guichet.cli.doctor import examine
from guichet.settings import Settings, environment_name
from tests.databases import DatabaseUrls


@pytest.fixture
def healthy(settings_without_sandbox: Settings) -> Settings:
    """Settings of a deployment in which nothing is wrong."""
    return settings_without_sandbox


async def _faults(settings: Settings) -> dict[str, str]:
    findings = await examine(settings, CHECKS)
    return {finding.subject: finding.text for finding in findings if finding.remedy}


async def test_a_healthy_deployment_has_no_faults(healthy: Settings) -> None:
    assert await _faults(healthy) == {}


def test_the_command_tells_the_faults_and_fails(healthy: Settings) -> None:
    environ = {
        "DATABASE_URL": healthy.database_url,
        "REDIS_URL": "redis://127.0.0.1:1",
        "GUICHET_BASE_DOMAIN": "localhost:8000",
        "GUICHET_MASTER_KEY": ",".join(healthy.master_keys),
    }
    result = CliRunner().invoke(main, ["doctor"], env=environ)
    assert result.exit_code == 1
    assert "!!  redis: does not answer" in result.output
    assert "ok  migrations: none pending" in result.output


def test_missing_settings_are_named_all_at_once() -> None:
    required = [field.name for field in msgspec.structs.fields(Settings) if field.required]
    names = [environment_name(field) for field in required]
    result = CliRunner().invoke(main, ["doctor"], env=dict.fromkeys(names, ""))
    assert result.exit_code == 1
    for name in names:
        assert name in result.output


@pytest.mark.parametrize("key", ["short", "", "A" * 44])
async def test_a_master_key_that_is_none_is_a_fault(healthy: Settings, key: str) -> None:
    faults = await _faults(msgspec.structs.replace(healthy, master_keys=(key,)))
    assert set(faults) == {"master key"}
    assert not key or key not in faults["master key"]


async def test_the_owner_s_role_is_a_fault(healthy: Settings, database_urls: DatabaseUrls) -> None:
    faults = await _faults(msgspec.structs.replace(healthy, database_url=database_urls.owner))
    assert "can see every tenant's rows" in faults["database role"]


async def test_a_database_without_the_schema_is_a_fault(healthy: Settings) -> None:
    empty = healthy.database_url.rpartition("/")[0] + "/postgres"
    faults = await _faults(msgspec.structs.replace(healthy, database_url=empty))
    assert set(faults) == {"migrations"}


async def test_servers_that_do_not_answer_are_faults(healthy: Settings) -> None:
    away = msgspec.structs.replace(
        healthy,
        database_url="postgresql://web@127.0.0.1:1/guichet",
        redis_url="redis://127.0.0.1:1",
    )
    assert set(await _faults(away)) == {"database", "redis"}


async def test_the_demo_switch_is_a_fault_outside_localhost(healthy: Settings) -> None:
    public = msgspec.structs.replace(healthy, base_domain="billing.example")
    assert set(await _faults(public)) == {"settings"}
