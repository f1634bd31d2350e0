"""The `guichet` command: what a person types to run and look after a deployment."""

import importlib

import click

# Each command stands in a module of its own that is loaded when it is called, so that a command
# starts without paying for the others.
_COMMANDS = {
    "agency": ("guichet.cli.agencies", "agency", "Add, list and look at agencies."),
    "books": ("guichet.cli.books", "books", "Compare what is held with what the providers hold."),
    "demo": ("guichet.cli.demo", "demo", "Run a whole platform with demo data on this machine."),
    "doctor": ("guichet.cli.doctor", "doctor", "Check this deployment and say what to mend."),
    "migrate": ("guichet.cli.migrate", "migrate", "Bring the database's schema up to date."),
    "serve": ("guichet.cli.serve", "serve", "Run a web process."),
    "sync": ("guichet.cli.sync", "sync", "Fetch what a tenant's provider never delivered."),
    "tenant": ("guichet.cli.tenants", "tenant", "Add, list, suspend and set up tenants."),
    "vault": ("guichet.cli.vault", "vault", "Look after the sealed secrets."),
    "worker": ("guichet.cli.worker", "worker", "Run a worker process."),
}


class LazyGroup(click.Group):
    """A group that lists its commands without importing them."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[name]
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, _COMMANDS[name][2]) for name in sorted(_COMMANDS)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Self-service subscription and billing portals for many merchants.

    Settings come from the environment: see docs/developer/settings.md.
    """
