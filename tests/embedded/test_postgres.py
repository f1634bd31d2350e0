"""The embedded PostgreSQL: who may enter, what it keeps, and what it recovers from."""

import json
import os
import signal
import stat
from pathlib import Path

import asyncpg
import psutil
import pytest

from guichet.embedded.postgres import OWNER_ROLE, WEB_ROLE, EmbeddedPostgres
from tests.embedded.starters import closed_copy_of_postgres, started_elsewhere, tools_of

_as_root = pytest.mark.skipif(os.geteuid() != 0, reason="about what root does")


async def _write(url: str, value: int) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("create table if not exists kept (value int)")
    await connection.execute(f"insert into kept values ({value})")
    await connection.close()


async def _values(url: str) -> list[int]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("select value from kept order by value")
    await connection.close()
    return [row["value"] for row in rows]


async def test_it_listens_on_loopback_alone(own_postgres: EmbeddedPostgres) -> None:
    listening = {
        (connection.laddr.ip, connection.laddr.port)
        for connection in psutil.Process(own_postgres.pid).net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {("127.0.0.1", own_postgres.port)}


async def test_a_wrong_password_is_refused(own_postgres: EmbeddedPostgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(
            host="127.0.0.1",
            port=own_postgres.port,
            user=OWNER_ROLE,
            password="guess",
            database="guichet",
        )


async def test_its_passwords_are_its_owner_s_alone(own_postgres: EmbeddedPostgres) -> None:
    mode = (own_postgres.directory / "passwords.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


@pytest.mark.parametrize("role", [OWNER_ROLE, WEB_ROLE])
async def test_neither_owner_nor_web_role_is_a_superuser(
    own_postgres: EmbeddedPostgres, role: str
) -> None:
    connection = await asyncpg.connect(own_postgres.url(role))
    mighty = await connection.fetchval(
        "select rolsuper or rolbypassrls or rolreplication from pg_roles where rolname = $1", role
    )
    await connection.close()
    assert mighty is False


async def test_it_keeps_its_data_between_runs(directory: Path) -> None:
    for value in (1, 2):
        server = EmbeddedPostgres(directory / "postgres")
        server.start()
        await _write(server.url(OWNER_ROLE), value)
        kept = await _values(server.url(OWNER_ROLE))
        server.stop()
    assert kept == [1, 2]


async def test_it_starts_again_on_its_port_after_being_killed(
    own_postgres: EmbeddedPostgres,
) -> None:
    await _write(own_postgres.url(OWNER_ROLE), 1)
    port, pid = own_postgres.port, own_postgres.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    own_postgres.start()
    assert own_postgres.port == port
    assert own_postgres.pid != pid
    assert await _values(own_postgres.url(OWNER_ROLE)) == [1]


async def test_it_ends_with_the_process_that_started_it(directory: Path) -> None:
    with started_elsewhere("postgres", directory / "postgres") as started:
        server = psutil.Process(started.pid)
        started.starter.kill()
        assert psutil.wait_procs([server], timeout=20)[1] == []


async def test_a_server_that_outlived_its_starter_is_ended(directory: Path) -> None:
    # Without setpriv nothing tells the server that its starter died.
    tools = tools_of(directory / "bin", "unshare", "true")
    with started_elsewhere("postgres", directory / "postgres", tools=tools) as started:
        orphan = psutil.Process(started.pid)
        started.starter.kill()
        started.starter.wait(10)
        assert orphan.is_running()
        server = EmbeddedPostgres(directory / "postgres")
        server.start()
        try:
            assert not orphan.is_running()
            assert server.pid not in {None, started.pid}
        finally:
            server.stop()


async def test_a_server_without_a_record_is_ended_too(directory: Path) -> None:
    tools = tools_of(directory / "bin", "unshare", "true")
    with started_elsewhere("postgres", directory / "postgres", tools=tools) as started:
        orphan = psutil.Process(started.pid)
        started.starter.kill()
        started.starter.wait(10)
        (directory / "postgres" / "postgres.pid").unlink()
        server = EmbeddedPostgres(directory / "postgres")
        server.start()
        server.stop()
        assert not orphan.is_running()


async def test_a_stale_lock_naming_a_living_stranger_is_no_obstacle(directory: Path) -> None:
    server = EmbeddedPostgres(directory / "postgres")
    server.start()
    server.stop()
    stranger = os.getpid()
    (directory / "postgres" / "data" / "postmaster.pid").write_text(f"{stranger}\n")
    (directory / "postgres" / "postgres.pid").write_text(
        json.dumps({"pid": stranger, "created": 1.0})
    )
    server.start()
    server.stop()
    assert psutil.pid_exists(stranger)


async def test_a_creation_that_was_cut_short_is_begun_again(directory: Path) -> None:
    half = directory / "postgres" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(directory / "postgres")
    server.start()
    await _write(server.url(OWNER_ROLE), 1)
    server.stop()
    assert not half.exists()


@_as_root
async def test_root_s_server_runs_as_nobody_where_namespaces_are_missing(directory: Path) -> None:
    tools = tools_of(directory / "bin", "setpriv", "true")
    packages = closed_copy_of_postgres(directory / "packages")
    with started_elsewhere(
        "postgres", directory / "postgres", tools=tools, packages=packages
    ) as started:
        assert psutil.Process(started.pid).uids().real == 65534
        server = psutil.Process(started.pid)
        started.starter.kill()
        assert psutil.wait_procs([server], timeout=20)[1] == []
    # The next run may have namespaces: the data changes hands.
    server_in_namespace = EmbeddedPostgres(directory / "postgres")
    server_in_namespace.start()
    server_in_namespace.stop()


async def test_an_ordinary_user_s_server_starts(directory: Path) -> None:
    # For root: a namespace in which it is user 1000, with no rights over anybody else's.
    wrapper = ["unshare", "-U", "--map-user=1000", "--map-group=1000"] if not os.geteuid() else []
    with started_elsewhere("postgres", directory / "postgres", wrapper=wrapper) as started:
        connection = await asyncpg.connect(started.url)
        assert await connection.fetchval("select current_user") == WEB_ROLE
        await connection.close()
