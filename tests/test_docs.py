"""What the documents tell people to type is what the commands and the configuration take."""

import json
import re
import shlex
from pathlib import Path

import click
import pytest

from guichet.cli import main
from tenants.checks import read_document

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands() -> list[str]:
    """Every line of a shell block that calls `guichet`."""
    blocks = (re.findall(r"```sh\n(.*?)```", it.read_text(), re.DOTALL) for it in DOCUMENTS)
    lines = [line for found in blocks for block in found for line in block.splitlines()]
    return sorted({line for line in lines if line.startswith("guichet ")})


def parse(line: str) -> list[str]:
    """Have click read a line without running it; answers the names of the commands on the way."""
    words, names = shlex.split(line, comments=True)[1:], []
    context = main.make_context("guichet", words)
    while isinstance(context.command, click.Group):
        left = [*context._protected_args, *context.args]
        name, command, rest = context.command.resolve_command(context, left)
        assert name
        assert command
        names.append(name)
        context = command.make_context(name, rest, parent=context)
    return names


def test_there_are_commands_to_look_at() -> None:
    assert len(commands()) > 10


@pytest.mark.parametrize("line", commands())
def test_a_documented_command_is_one_that_exists(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("lumen.json", "logo.svg"):
        (tmp_path / name).write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert parse(line)[0] in line


@pytest.mark.parametrize("line", ["guichet tenant add atelier lumen Lumen", "guichet tenant fly x"])
def test_a_command_that_does_not_exist_is_noticed(line: str) -> None:
    with pytest.raises(click.UsageError):
        parse(line)


def test_the_merchants_examples_can_be_published() -> None:
    guide = (ROOT / "docs/merchant.md").read_text()
    examples = re.findall(r"```json\n(.*?)```", guide, re.DOTALL)
    assert {"plans", "retries"} <= {key for it in examples for key in json.loads(it)}
    assert all(read_document(it.encode()) for it in examples)
