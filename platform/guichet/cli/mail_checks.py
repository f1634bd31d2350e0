"""Whether mails leave the deployment, for the doctor."""

import asyncpg

from guichet.cli.checks import Finding
from guichet.db import connect
from guichet.mail_servers import MailServer, UnusableServer, parse_server
from guichet.messages.dialing import Patience, ServerAway, open_line
from guichet.settings import Settings

#: Mails leave within seconds; a tenant whose server was away comes by again within a minute.
_OVERDUE_SECONDS = 5 * 60


async def check_mail(settings: Settings) -> list[Finding]:
    """The deployment's mail server lets us in, and no mail waits for long."""
    return [await _server_finding(settings), *await _queue_findings(settings)]


async def _server_finding(settings: Settings) -> Finding:
    subject = "mail server"
    if not settings.smtp_url:
        return Finding(subject, "none; only merchants with a server of their own send mails")
    try:
        server = parse_server(settings.smtp_url)
        reason = await _try_out(server, settings.base_host)
    except UnusableServer as error:
        return Finding(
            subject, str(error), "Set GUICHET_SMTP_URL as docs/developer/settings.md has it"
        )
    if reason:
        remedy = "See that it runs, and that GUICHET_SMTP_URL names its host, TLS and login."
        return Finding(subject, f"{server.host} cannot be used: {reason}", remedy)
    return Finding(subject, f"{server.host} lets us in; mails come from {settings.mail_from}")


async def _try_out(server: MailServer, hostname: str) -> str:
    """Connect and log in as a worker does; answers why that failed."""
    try:
        async with open_line(server, hostname, public_only=False, patience=Patience()):
            return ""
    except ServerAway as away:
        return away.reason.replace("_", " ")


async def _queue_findings(settings: Settings) -> list[Finding]:
    try:
        async with (
            connect(settings.database_url, connections=1) as db,
            db.system() as connection,
        ):
            row = await connection.fetchrow(
                """
                select
                  count(*) as waiting,
                  coalesce(extract(epoch from now() - min(due_at)), 0)::float8 as overdue
                from messages
                where due_at is not null
                """
            )
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError):
        # The check of the database has said why.
        return []
    assert row is not None
    text = f"{row['waiting']} wait"
    if row["waiting"] and not settings.smtp_url:
        remedy = "Set GUICHET_SMTP_URL and GUICHET_MAIL_FROM: what waits for three days fails."
        return [Finding("mails", f"{text}, and the deployment has no mail server", remedy)]
    if row["overdue"] > _OVERDUE_SECONDS:
        minutes = int(row["overdue"] // 60)
        return [
            Finding(
                "mails", f"{text}, {minutes} min overdue", "See that a worker runs: guichet worker"
            )
        ]
    return [Finding("mails", text)]
