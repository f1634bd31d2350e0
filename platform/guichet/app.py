"""The one place where the web is put together: doors, routes, limits and error pages."""

import os

from litestar import Litestar
from litestar.di import Provide
from litestar.exceptions import HTTPException

from guichet import logs
from guichet.console import errors as console_errors
from guichet.console.routes import HANDLERS as CONSOLE_HANDLERS
from guichet.console.visit import visit_of as console_visit_of
from guichet.deployment import PATIENCE_SECONDS
from guichet.edge.base import Door, base_door
from guichet.edge.entrance import Edge
from guichet.portal import (
    assets,
    cancel,
    change,
    fix,
    home,
    invoices,
    language,
    methods,
    outcome,
    pay,
    preferences,
    sign_in,
    support,
)
from guichet.portal.errors import show_error
from guichet.portal.read_only import keep_to_reading
from guichet.portal.visit import visit_of
from guichet.settings import Settings, read_settings

#: The largest form; event deliveries have a limit of their own.
MAX_FORM_BYTES = 64 * 1024
#: Staff send pictures and whole configurations.
MAX_UPLOAD_BYTES = 2 * 1024 * 1024


def portal_app() -> Litestar:
    """The customer's door: every route of a tenant's host."""
    return Litestar(
        route_handlers=[
            home.home,
            home.subscription,
            change.choose_plan,
            change.review_change,
            change.confirm_change,
            outcome.show_outcome,
            cancel.ask_to_cancel,
            cancel.confirm_cancel,
            cancel.keep,
            cancel.undo_change,
            invoices.invoices,
            invoices.invoice_pdf,
            invoices.invoice_receipt,
            *pay.HANDLERS,
            *fix.HANDLERS,
            *methods.HANDLERS,
            *preferences.HANDLERS,
            language.choose_language,
            assets.asset,
            assets.picture,
            *sign_in.HANDLERS,
            *support.HANDLERS,
        ],
        guards=[keep_to_reading],
        dependencies={"visit": Provide(visit_of, sync_to_thread=False)},
        exception_handlers={HTTPException: show_error, Exception: show_error},
        request_max_body_size=MAX_FORM_BYTES,
        openapi_config=None,
        logging_config=None,
    )


def console_app() -> Litestar:
    """The staff's door: every route of the console's host."""
    return Litestar(
        route_handlers=list(CONSOLE_HANDLERS),
        dependencies={"visit": Provide(console_visit_of)},
        exception_handlers={
            HTTPException: console_errors.show_error,
            Exception: console_errors.show_error,
        },
        request_max_body_size=MAX_UPLOAD_BYTES,
        openapi_config=None,
        logging_config=None,
    )


def create_app(
    settings: Settings | None = None,
    base: Door = base_door,
    patience_s: float = PATIENCE_SECONDS,
) -> Edge:
    """The deployment's web program; the settings come from the environment unless given.

    At its start it waits for a database that is away, `patience_s` seconds at most.
    """
    settings = settings or read_settings(os.environ)
    logs.configure(settings.log_level)
    return Edge(
        settings, portal=portal_app(), console=console_app(), base=base, patience_s=patience_s
    )
