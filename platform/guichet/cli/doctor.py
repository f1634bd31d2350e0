"""`guichet doctor`: looks at the deployment from inside and says what to mend."""

import asyncio
import os
from collections.abc import Sequence

import click

from guichet.cli.book_checks import check_book_results
from guichet.cli.checks import CHECKS, Check, Finding
from guichet.cli.lag_checks import check_lag
from guichet.cli.mail_checks import check_mail
from guichet.cli.provider_checks import check_providers
from guichet.settings import Settings, SettingsError, read_settings


@click.command()
def doctor() -> None:
    """Check this deployment; each fault is followed by what to do about it.

    Ends with status 1 when there is a fault.
    """
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    findings = asyncio.run(
        examine(settings, (*CHECKS, check_lag, check_mail, check_providers, check_book_results))
    )
    for finding in findings:
        click.echo(f"{'!!' if finding.remedy else 'ok'}  {finding.subject}: {finding.text}")
        if finding.remedy:
            click.echo(f"      {finding.remedy}")
    faults = sum(1 for finding in findings if finding.remedy)
    if faults:
        raise click.exceptions.Exit(1)
    click.echo("All is well.")


async def examine(settings: Settings, checks: Sequence[Check]) -> list[Finding]:
    """Run the checks one after another and answer all they found."""
    return [finding for check in checks for finding in await check(settings)]
