"""The command line: its list is short work, and each command is loaded only when called."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from guichet.cli import _COMMANDS, main

_HEAVY = {"litestar", "stripe", "asyncpg", "granian", "cryptography"}


def test_the_list_of_commands_loads_nothing_heavy() -> None:
    code = (
        "import sys, guichet.cli; guichet.cli.main(['--help'], standalone_mode=False);"
        " print('loaded', *sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Run a worker process." in ended.stdout
    loaded = set(ended.stdout.rpartition("loaded")[2].split())
    assert loaded & _HEAVY == set()


@pytest.mark.parametrize("name", sorted(_COMMANDS))
def test_every_command_explains_itself(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert f"{name} [OPTIONS]" in result.output


def test_an_unknown_command_is_a_mistake_of_usage() -> None:
    result = CliRunner().invoke(main, ["serv"])
    assert result.exit_code == 2
    assert "No such command" in result.output
