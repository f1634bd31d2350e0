"""Secrets as commands are given them: an argument would stand in the list of processes."""

import sys

import click

_LONGEST_SECRET = 10_000


def read_secret() -> str:
    """One line of standard input without its end, asked for where a person types."""
    if sys.stdin.isatty():
        value = str(click.prompt("Secret", hide_input=True))
    else:
        value = sys.stdin.read(_LONGEST_SECRET + 1).rstrip("\r\n")
    if not 0 < len(value) <= _LONGEST_SECRET or not value.isprintable() or value != value.strip():
        raise click.ClickException("that is no secret: one line without spaces around it")
    return value
