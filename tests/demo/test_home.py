"""The demo's home: one demo at a time, secrets made once, ports kept."""

import base64
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from guichet.demo.home import Home, HomeInUse
from guichet.demo.seeding import must_seed, remember_seeded

_HOLD = (
    "import sys, time; from pathlib import Path; from guichet.demo.home import Home;"
    " home = Home(Path(sys.argv[1])); home.hold(); print('held', flush=True); time.sleep(60)"
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home that this test holds."""
    home = Home(tmp_path / "home")
    home.hold()
    return home


def test_a_second_demo_is_refused_and_told_of_the_first(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        try:
            with pytest.raises(HomeInUse, match=rf"process {first.pid}\b.*GUICHET_HOME"):
                Home(tmp_path).hold()
        finally:
            first.kill()
            first.wait(10)
    # The lock went with the process, however it ended.
    Home(tmp_path).hold()


def test_a_home_that_was_released_can_be_held_again(home: Home) -> None:
    home.release()
    home.hold()


def test_the_master_key_is_made_once_and_is_its_owner_s_alone(home: Home) -> None:
    key = home.master_key()
    assert len(base64.b64decode(key, validate=True)) == 32
    assert home.master_key() == key
    mode = (home.directory / "master-key").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_ports_are_kept_between_runs(home: Home) -> None:
    ports = home.ports("a", "b")
    assert len(set(ports.values())) == 2
    assert home.ports("a", "b") == ports


def test_a_port_that_somebody_took_is_replaced_for_good(home: Home) -> None:
    ports = home.ports("a", "b")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", ports["a"]))
        taken.listen()
        changed = home.ports("a", "b")
    assert changed["a"] != ports["a"]
    assert changed["b"] == ports["b"]
    assert home.ports("a", "b") == changed


@pytest.mark.parametrize("damaged", ["", "[1]", "{", "null"])
def test_damaged_facts_are_as_good_as_none(home: Home, damaged: str) -> None:
    (home.directory / "seeded.json").write_text(damaged)
    assert home.facts("seeded") == {}


def test_the_data_is_made_again_for_another_address_and_by_a_newer_demo(home: Home) -> None:
    addresses = {"port": "8000"}
    assert must_seed(home, addresses)
    remember_seeded(home, addresses)
    assert not must_seed(home, addresses)
    assert must_seed(home, {"port": "8001"})
    # As the demo's first edition remembered it.
    home.keep_facts("seeded", addresses)
    assert must_seed(home, addresses)


def test_nobody_else_can_read_the_logs_and_the_mails(home: Home) -> None:
    for private in (home.logs, home.mail):
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
